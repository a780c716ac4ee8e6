#pragma once
// How the kernels of linear experts divide their work: a block has a run of tiles of 64 rows, whose
// rows come one tile ahead, and the weights of one expert at a time; each of its warpgroups has 64
// columns of the result.

#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {

constexpr int kLinearRows = kBackwardRows;

template <class T_, int kWidth_>
struct LinearPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kAcross = kWidth / kPanel, kGroups = kAcross;
  static constexpr int kThreadCount = 128 * kGroups, kShare = kThreadCount / kLinearRows;
  /// Outputs of a block of the backward pass: their gradients fit into registers.
  static constexpr int kSlice = kWidth == 128 ? 128 : 64;
};

/// The token of a row of the tile to come: kShare threads share a row.
template <class Plan>
struct RowAhead {
  using T = typename Plan::T;
  bool live = false;
  int token = 0;

  __device__ static int row() { return threadIdx.x / Plan::kShare; }
  __device__ static bool leads() { return threadIdx.x % Plan::kShare == 0; }
  __device__ void read(const FusedMlp& p, const RowTile& tile) {
    live = tile.begin + row() < tile.end;
    if (live) token = static_cast<int>(p.token_of[tile.begin + row()]);
  }
  /// Starts to copy `columns` values of the token's row of `from` [T, stride] to a tile.
  template <int kColumns>
  __device__ void copy(const void* from, int64_t stride, int64_t first, int64_t columns,
                       T* to) const {
    copy_row<kColumns, Plan::kShare>(static_cast<const T*>(from) + token * stride + first, row(),
                                     live ? columns : 0, to);
  }
};

/// Writes a warpgroup's panel to columns 64 group .. of the rows of a tile, or, where `token_of` is
/// not null, of their tokens.
template <class T>
__device__ void write_panel(const T* panel, unsigned group, const RowTile& tile, int64_t width,
                            const int64_t* token_of, T* rows) {
  const int unit = threadIdx.x % 8;
  const int64_t column = group * kPanel + unit * 8;
  if (column >= width) return;
#pragma unroll
  for (int row = threadIdx.x % 128 / 8; row < 64; row += 16) {
    const int at = tile.begin + row;
    if (at < tile.end)
      *reinterpret_cast<uint4*>(rows + (token_of ? token_of[at] : at) * width + column) =
          *reinterpret_cast<const uint4*>(panel + swizzled(row, unit));
  }
}

/// Calls run.operator()<LinearPlan>().
template <class Run>
void with_linear(const FusedMlp& p, Run&& run) {
  with_padded(std::max(p.channels, p.hidden), [&]<int kWidth>() {
    p.dtype == DType::Half ? run.template operator()<LinearPlan<__half, kWidth>>()
                           : run.template operator()<LinearPlan<__nv_bfloat16, kWidth>>();
  });
}

}  // namespace switchyard::kernels
