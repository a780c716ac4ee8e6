#include "domains/point_cloud/model/patches.h"

namespace switchyard {

PatchMode patch_mode_from_name(const std::string& name) {
  check_name("attn_mode", "mode", name, {"varlen", "fixed"});
  return name == "varlen" ? PatchMode::Varlen : PatchMode::Fixed;
}

Patches make_patches(const at::Tensor& seq_offset, int64_t patch_size, PatchMode mode) {
  check(patch_size >= 1, "make_patches", "bad patch size: got ", patch_size, ", expected at least 1");
  const int64_t* offset = seq_offset.data_ptr<int64_t>();
  const int64_t clouds = seq_offset.size(0) - 1;
  int64_t size = patch_size;
  for (int64_t b = 0; mode == PatchMode::Fixed && b < clouds; ++b) size = std::min(size, offset[b + 1] - offset[b]);
  std::vector<int64_t> pad, unpad, starts;
  for (int64_t b = 0; b < clouds; ++b) {
    const int64_t begin = offset[b], n = offset[b + 1] - begin;
    const int64_t first = static_cast<int64_t>(pad.size()), rest = n > size ? n % size : 0;
    for (int64_t i = 0; i < n; ++i) {
      unpad.push_back(first + i);
      pad.push_back(begin + i);
    }
    for (int64_t j = rest; rest > 0 && j < size; ++j) pad.push_back(begin + n - rest + j - size);
    const int64_t slots = static_cast<int64_t>(pad.size()) - first;
    for (int64_t start = 0; start < slots; start += size) starts.push_back(first + start);
  }
  starts.push_back(static_cast<int64_t>(pad.size()));
  return {size, at::tensor(pad, at::kLong), at::tensor(unpad, at::kLong), at::tensor(starts, at::kLong)};
}

}  // namespace switchyard
