#pragma once
// A dataset in memory, for tests of decorators, packing and readers.

#include "datasets/dataset.h"
#include "tests/support/text.h"
#include "tests/test.h"

namespace switchyard::test {

class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(std::vector<Sample> samples,
                         DatasetInfo info = {{"a", "b"}, "memory", "h0", true})
      : samples_(std::move(samples)), info_(std::move(info)) {}
  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  SampleInfo sample_info(int64_t index) const override { return samples_.at(index).info; }
  Sample get(int64_t index, const Draw&) const override { return samples_.at(index); }
  const DatasetInfo& info() const override { return info_; }

 private:
  std::vector<Sample> samples_;
  DatasetInfo info_;
};

/// Same uris, domains, groups, splits, keys, types and values.
inline bool same_samples(const Dataset& a, const Dataset& b) {
  if (a.size() != b.size()) return false;
  for (int64_t i = 0; i < a.size(); ++i) {
    const Sample x = a.get(i, {}), y = b.get(i, {});
    const bool info = x.info.uri == y.info.uri && x.info.domain == y.info.domain &&
                      x.info.group == y.info.group && x.info.split == y.info.split &&
                      x.tensors.size() == y.tensors.size();
    if (!info) return false;
    for (const auto& [key, tensor] : x.tensors) {
      const auto found = y.tensors.find(key);
      if (found == y.tensors.end() || found->second.scalar_type() != tensor.scalar_type())
        return false;
      if (!found->second.equal(tensor)) return false;
    }
  }
  return true;
}

}  // namespace switchyard::test
