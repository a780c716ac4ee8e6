#pragma once
// What the fused expert kernels share: rows of every expert in tiles of a fixed height, and the
// types that the kernels are made for.

#include "core/kernels/tensor_core.cuh"

namespace switchyard::kernels {

constexpr int kMostSlots = 1024;
/// Shared rows are padded by as many values: eight of them in a matrix load touch all banks once.
constexpr int kPad = 8;
constexpr size_t kSharedPerBlock = 226 << 10;
/// Hidden units of a block of the backward pass: their weights fit into shared memory, and their
/// gradients into registers.
constexpr int fused_slice(int64_t padded_width, bool gated) {
  return static_cast<int>((gated ? 8192 : 16384) / padded_width);
}

/// tile_end[e]: tiles of `rows` rows of experts 0 .. e. Called by one warp.
__device__ inline void count_tiles(const FusedMlp& p, int64_t rows, int* tile_end) {
  const int lane = threadIdx.x % 32;
  int base = 0;
  for (int first = 0; first < p.slots; first += 32) {
    const int e = first + lane;
    int sum = 0;
    if (e < p.slots)
      sum = static_cast<int>((p.slot_offset[e + 1] - p.slot_offset[e] + rows - 1) / rows);
    for (int step = 1; step < 32; step *= 2) {
      const int left = __shfl_up_sync(kFullWarp, sum, step);
      if (lane >= step) sum += left;
    }
    if (e < p.slots) tile_end[e] = base + sum;
    base += __shfl_sync(kFullWarp, sum, 31);
  }
}

__device__ inline int expert_at(const FusedMlp& p, const int* tile_end, int tile) {
  int low = 0, high = static_cast<int>(p.slots) - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (tile_end[middle] > tile)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}
__device__ inline int begin_of(const int* tile_end, int expert) {
  return expert == 0 ? 0 : tile_end[expert - 1];
}

__device__ inline int slot_begin(const FusedMlp& p, int expert) {
  return static_cast<int>(p.slot_offset[expert]);
}

struct RowTile {
  int expert, begin, end;  // rows; the last tile of an expert may be short
};
__device__ inline RowTile tile_at(const FusedMlp& p, int rows, const int* tile_end, int tile) {
  const int expert = expert_at(p, tile_end, tile);
  const int begin = slot_begin(p, expert) + (tile - begin_of(tile_end, expert)) * rows;
  return {expert, begin, min(begin + rows, slot_begin(p, expert + 1))};
}

/// The tiles first .. last - 1 of one block of several: equal shares, but for borders moved by up
/// to two tiles to the next border between experts.
struct TileShare {
  int first, last;

  __device__ TileShare(const FusedMlp& p, const int* tile_end, int block, int blocks)
      : first(border(p, tile_end, block, blocks)), last(border(p, tile_end, block + 1, blocks)) {}
  __device__ static int border(const FusedMlp& p, const int* tile_end, int block, int blocks) {
    const int64_t tiles = tile_end[p.slots - 1];
    const int at = static_cast<int>(tiles * block / blocks);
    if (at == 0 || at == tiles) return at;
    const int expert = expert_at(p, tile_end, at);
    const int most = min(2, static_cast<int>(tiles / (2 * blocks)));
    const int low = begin_of(tile_end, expert), high = tile_end[expert];
    if (at - low <= most) return low;
    return high - at <= most ? high : at;
  }
  /// All tiles of an expert.
  __device__ bool has(const int* tile_end, int expert) const {
    return first <= begin_of(tile_end, expert) && tile_end[expert] <= last;
  }
  /// Any tile of an expert.
  __device__ bool meets(const int* tile_end, int expert) const {
    return max(first, begin_of(tile_end, expert)) < min(last, tile_end[expert]);
  }
};

/// sum [16, 8 kN] += bias [left or 8 kN] in every row.
template <class T, int kN>
__device__ void add_to_rows(const T* bias, int64_t left, float (&sum)[kN][4]) {
#pragma unroll
  for (int n = 0; n < kN; ++n) {
    const int column = n * 8 + threadIdx.x % 4 * 2;
    if (column >= left) continue;
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[n][i] += load(bias + column + i % 2);
  }
}
/// The bias of part 0 (gate) or 1 (up) of an expert from hidden unit `first` on.
template <class T>
__device__ const T* bias_at(const FusedMlp& p, int expert, int part, int64_t first) {
  const int64_t parts = p.gated ? 2 : 1;
  return static_cast<const T*>(p.in_bias) + (expert * parts + part) * p.hidden + first;
}

/// Starts to copy the weights of hidden units first .. first + kHidden - 1 of an expert, zeros
/// outside: `in` [1 or 2 parts, kHidden] of kWidth values, `out` [kWidth] of kHidden values.
template <class Plan, int kHidden>
__device__ void copy_weights(const FusedMlp& p, int expert, int64_t first, typename Plan::T* in_to,
                             typename Plan::T* out_to) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8, kOutUnits = kHidden / 8, kIns = Plan::kGated ? 2 : 1;
  const T *in = static_cast<const T*>(p.in), *out = static_cast<const T*>(p.out);
  for (int i = threadIdx.x; i < kIns * kHidden * kUnits; i += Plan::kThreadCount) {
    const int row = i / kUnits, column = i % kUnits * 8;
    const int64_t h = first + row % kHidden;
    const bool valid = h < p.hidden && column < p.channels;
    const int64_t from = ((expert * kIns + row / kHidden) * p.hidden + h) * p.channels + column;
    copy_async(in_to + row * (Plan::kWidth + kPad) + column, in + (valid ? from : 0), valid);
  }
  for (int i = threadIdx.x; i < Plan::kWidth * kOutUnits; i += Plan::kThreadCount) {
    const int row = i / kOutUnits, column = i % kOutUnits * 8;
    const bool valid = first + column < p.hidden && row < p.width;
    const int64_t from = (expert * p.width + row) * p.hidden + first + column;
    copy_async(out_to + row * (kHidden + kPad) + column, out + (valid ? from : 0), valid);
  }
}

inline int64_t padded_width(const FusedMlp& p) {
  const int64_t width = std::max(p.channels, p.width);
  return width <= 64 ? 64 : width <= 128 ? 128 : 256;
}
inline int processors() {
  int device = 0, count = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
  return count;
}

/// Calls run.operator()<T, padded width, gated>().
template <class Run>
void with_fused(const FusedMlp& p, Run&& run) {
  const auto typed = [&]<class T, int kWidth>() {
    if constexpr (kWidth <= 128)
      if (p.gated) return run.template operator()<T, kWidth, true>();
    run.template operator()<T, kWidth, false>();
  };
  const int64_t width = padded_width(p);
  const auto wide = [&]<class T>() {
    if (width == 64) return typed.template operator()<T, 64>();
    if (width == 128) return typed.template operator()<T, 128>();
    typed.template operator()<T, 256>();
  };
  p.dtype == DType::Half ? wide.template operator()<__half>()
                         : wide.template operator()<__nv_bfloat16>();
}

}  // namespace switchyard::kernels
