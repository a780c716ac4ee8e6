#pragma once
// A sort of entries by slot as kernels take it.

#include "core/kernels/launch.h"
#include "core/kernels/routing.h"

namespace switchyard {

/// What a sort writes, and its pointers. Of slot_of [A] and token_offset [T+1], contiguous i64,
/// which may still be unwritten; a token has k entries, or 0: any number; a block of a GPU takes
/// `chunk` entries.
struct SlotSorting {
  SlotMajor to;
  at::Tensor count;  ///< scratch
  kernels::SlotSort sort;

  SlotSorting(const at::Tensor& slot_of, const at::Tensor& token_offset, int64_t slots, int64_t k,
              int64_t chunk);
};

}  // namespace switchyard
