#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// "Varlen": a cloud of n <= K points is one patch of n. "Fixed": K = min(patch size, smallest cloud)
/// for the whole batch.
enum class PatchMode { Varlen, Fixed };
PatchMode patch_mode_from_name(const std::string& name);

/// How serialized positions fill patches of K slots (PTv3; spec point-moe 1.4). The last patch of a
/// cloud borrows its missing slots from the patch before. All i64 on the CPU.
struct Patches {
  int64_t size = 0;        ///< K in use
  at::Tensor pad;          ///< [slots] serialized position that each slot reads
  at::Tensor unpad;        ///< [N] slot that holds each serialized position
  at::Tensor cu_seqlens;   ///< [patches + 1] starts in slots
};

/// `seq_offset` [S+1] with a leading 0. Errors: K < 1.
Patches make_patches(const at::Tensor& seq_offset, int64_t patch_size, PatchMode mode);

}  // namespace switchyard
