#pragma once
// Part of a dataset, in its order.

#include <functional>
#include <memory>

#include "core/base/params.h"
#include "datasets/dataset.h"

namespace switchyard {

struct SubsetParams {
  ConfigNode dataset;
  std::vector<std::string> domains, splits;
  static void declare(Fields<SubsetParams>& f);
};

/// An empty list means all.
struct SampleChoice {
  std::vector<std::string> domains, splits;
};

class Subset : public Dataset {
 public:
  using Keep = std::function<bool(const SampleInfo&)>;
  /// `name` describes the choice in messages. Error: nothing is left.
  Subset(std::shared_ptr<const Dataset> inner, const std::string& name, const Keep& keep);
  /// Errors: a domain or split that does not occur, nothing is left.
  Subset(std::shared_ptr<const Dataset> inner, const SampleChoice& choice);

  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  SampleInfo sample_info(int64_t index) const override {
    return inner_->sample_info(rows_.at(index));
  }
  Sample get(int64_t index, const Draw& draw) const override {
    return inner_->get(rows_.at(index), draw);
  }
  const DatasetInfo& info() const override { return info_; }

 private:
  std::shared_ptr<const Dataset> inner_;
  std::vector<int64_t> rows_;
  DatasetInfo info_;
};

}  // namespace switchyard
