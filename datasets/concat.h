#pragma once
// Several datasets one after the other, as one.

#include <memory>

#include "core/base/params.h"
#include "datasets/dataset.h"

namespace switchyard {

struct ConcatParams {
  std::vector<ConfigNode> datasets;
  static void declare(Fields<ConcatParams>& f);
};

class Concat : public Dataset {
 public:
  /// Errors: no part, class lists or VAEs that differ, a uri that occurs twice.
  explicit Concat(std::vector<std::shared_ptr<const Dataset>> parts);

  int64_t size() const override { return end_.back(); }
  SampleInfo sample_info(int64_t index) const override;
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  std::pair<const Dataset*, int64_t> locate(int64_t index) const;

  std::vector<std::shared_ptr<const Dataset>> parts_;
  std::vector<int64_t> end_;  ///< running sum of sizes
  DatasetInfo info_;
};

}  // namespace switchyard
