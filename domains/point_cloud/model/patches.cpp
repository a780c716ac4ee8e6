#include "domains/point_cloud/model/patches.h"

#include "core/base/text.h"

namespace switchyard {
namespace {

int64_t effective_size(const std::vector<int64_t>& offset, int64_t patch_size, PatchMode mode) {
  if (mode == PatchMode::Varlen) return patch_size;
  for (size_t b = 0; b + 1 < offset.size(); ++b)
    patch_size = std::min(patch_size, offset[b + 1] - offset[b]);
  return std::max<int64_t>(patch_size, 1);
}

void add_cloud(Patches& out, int64_t begin, int64_t n, int64_t size) {
  const auto first = static_cast<int64_t>(out.pad.size());
  for (int64_t j = 0; j < n; ++j) {
    out.pad.push_back(begin + j);
    out.unpad.push_back(first + j);
  }
  const int64_t tail = n % size;
  if (n > size && tail > 0) {
    for (int64_t j = tail; j < size; ++j) out.pad.push_back(begin + n - tail - size + j);
  }
  const auto end = static_cast<int64_t>(out.pad.size());
  for (int64_t at = first; at < end; at += size) out.cu_seqlens.push_back(std::min(at + size, end));
}

}  // namespace

const std::vector<std::string>& patch_mode_names() {
  static const std::vector<std::string> names = {"varlen", "fixed"};
  return names;
}

PatchMode patch_mode_from_name(const std::string& name) {
  check_name("attn_mode", "patch mode", name, patch_mode_names());
  return name == "varlen" ? PatchMode::Varlen : PatchMode::Fixed;
}

Patches make_patches(const std::vector<int64_t>& offset, int64_t patch_size, PatchMode mode) {
  check(patch_size >= 1, "make_patches", "patch size: got ", patch_size, ", expected >= 1");
  Patches out;
  out.cu_seqlens.push_back(0);
  const int64_t size = effective_size(offset, patch_size, mode);
  for (size_t b = 0; b + 1 < offset.size(); ++b)
    add_cloud(out, offset[b], offset[b + 1] - offset[b], size);
  return out;
}

PatchGroups group_patches(const Patches& patches) {
  std::map<int64_t, std::vector<int64_t>, std::greater<>> starts_of;
  for (size_t i = 0; i + 1 < patches.cu_seqlens.size(); ++i) {
    starts_of[patches.cu_seqlens[i + 1] - patches.cu_seqlens[i]].push_back(patches.cu_seqlens[i]);
  }
  PatchGroups out;
  std::vector<int64_t> moved(patches.pad.size());
  for (const auto& [length, starts] : starts_of) {
    out.groups.push_back({length, static_cast<int64_t>(starts.size())});
    for (const int64_t start : starts) {
      for (int64_t j = start; j < start + length; ++j) {
        moved[static_cast<size_t>(j)] = static_cast<int64_t>(out.pad.size());
        out.pad.push_back(patches.pad[static_cast<size_t>(j)]);
      }
    }
  }
  for (const int64_t slot : patches.unpad) out.unpad.push_back(moved[static_cast<size_t>(slot)]);
  return out;
}

}  // namespace switchyard
