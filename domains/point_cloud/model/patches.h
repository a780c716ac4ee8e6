#pragma once
// Splitting the serialized points into attention patches (Point Transformer V3, section 4.2).

#include <string>
#include <vector>

namespace switchyard {

/// Varlen: each cloud alone, a cloud of n <= K points is one patch of n. Fixed: one patch size for
/// the batch, min(K, smallest cloud). A last patch that is short repeats slots of the one before
/// it.
enum class PatchMode { Varlen, Fixed };
const std::vector<std::string>& patch_mode_names();
PatchMode patch_mode_from_name(const std::string& name);

/// Positions are serialized positions 0 .. N-1; slots are padded positions.
struct Patches {
  std::vector<int64_t> pad;         ///< [slots]: position that each slot reads
  std::vector<int64_t> unpad;       ///< [N]: slot that answers for each position
  std::vector<int64_t> cu_seqlens;  ///< [patches + 1]: first slot of each patch
};

/// `offset` [B+1], starts with 0. Errors: patch size below 1.
Patches make_patches(const std::vector<int64_t>& offset, int64_t patch_size, PatchMode mode);

/// The same slots with patches of equal length side by side, so that each length is one batched
/// product: `length`, `count` per group in slot order.
struct PatchGroups {
  struct Group {
    int64_t length, count;
  };
  std::vector<Group> groups;
  std::vector<int64_t> pad, unpad;  ///< as in Patches, in grouped slots
};
PatchGroups group_patches(const Patches& patches);

}  // namespace switchyard
