#pragma once
// What the fused expert kernels share: rows of every expert in tiles of a fixed height, the moves
// between memory and panels, and the types that the kernels are made for.

#include "core/kernels/fast_activation.cuh"
#include "core/kernels/warpgroup.cuh"

namespace switchyard::kernels {

constexpr int kMostSlots = 1024;
/// Hidden units that a warpgroup activates at once.
constexpr int kUnit = 32;
/// Rows of a tile of the backward pass.
constexpr int kBackwardRows = 64;
constexpr size_t kSharedPerBlock = 226 << 10;
/// Hidden units of a block of the backward pass: their weights fit into shared memory, and their
/// gradients into registers.
constexpr int fused_slice(int64_t padded_width, bool gated) {
  return static_cast<int>((gated ? 8192 : 16384) / padded_width);
}

/// tile_end[e]: tiles of `rows` rows of experts 0 .. e. Called by all threads of a block.
__device__ inline void count_tiles(const FusedMlp& p, int64_t rows, int* tile_end) {
  for (int e = threadIdx.x; e < p.slots; e += blockDim.x)
    tile_end[e] = static_cast<int>((p.slot_offset[e + 1] - p.slot_offset[e] + rows - 1) / rows);
  __syncthreads();
  int base = 0;
  for (int first = 0; threadIdx.x < 32 && first < p.slots; first += 32) {
    const int e = first + static_cast<int>(threadIdx.x);
    const int sum = base + warp_prefix(e < p.slots ? tile_end[e] : 0);
    if (e < p.slots) tile_end[e] = sum;
    base = __shfl_sync(kFullWarp, sum, 31);
  }
  __syncthreads();
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
    const int tiles = tile_end[p.slots - 1], each = (tiles + blocks - 1) / blocks;
    const int at = min(block * each, tiles), most = min(2, each / 2);
    if (at == 0 || at == tiles) return at;
    const int expert = expert_at(p, tile_end, at);
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

/// Tiles of a block, one after the other; tiles without rows after the last.
class TileWalk {
 public:
  __device__ TileWalk(const FusedMlp& p, int rows, const int* tile_end, int first, int last)
      : p_(p), tile_end_(tile_end), rows_(rows), index_(first), last_(last), tile_{0, 0, 0} {
    if (first < last) tile_ = tile_at(p, rows, tile_end, first);
  }
  __device__ RowTile next() {
    if (index_ >= last_) return {tile_.expert, 0, 0};
    const RowTile tile = tile_;
    if (++index_ >= last_) return tile;
    if (index_ < tile_end_[tile.expert]) {
      tile_.begin = tile.end;
      tile_.end = min(tile.end + rows_, slot_begin(p_, tile.expert + 1));
    } else {
      tile_ = tile_at(p_, rows_, tile_end_, index_);
    }
    return tile;
  }

 private:
  const FusedMlp& p_;
  const int* tile_end_;
  int rows_, index_, last_;
  RowTile tile_;
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

/// y = weight (y + bias) of the rows begin .. end - 1 of an expert, each the only one of its token;
/// y are sums [64, 8 kN] of a warpgroup, columns `first` .. of the output [., width].
template <class T, int kN>
__device__ void weigh_rows(const FusedMlp& p, int expert, int begin, int end, int64_t width,
                           int64_t first, float (&y)[kN][4]) {
  if (p.out_bias)
    add_to_rows(static_cast<const T*>(p.out_bias) + expert * width + first, width - first, y);
#pragma unroll
  for (int down = 0; down < 2; ++down) {
    const int at = begin + sum_row() + 8 * down;
    const float w = at < end ? p.weight[p.entry[at]] : 0.f;
#pragma unroll
    for (int n = 0; n < kN; ++n) {
      y[n][2 * down] *= w;
      y[n][2 * down + 1] *= w;
    }
  }
}

/// Hidden unit `first` of part 0 (gate) or 1 (up) of an expert in values like p.in, [.., C]; and in
/// values like p.out.
template <class T>
__device__ const T* in_of(const FusedMlp& p, const void* in, int expert, int part, int64_t first) {
  const int64_t parts = p.gated ? 2 : 1;
  return static_cast<const T*>(in) + ((expert * parts + part) * p.hidden + first) * p.channels;
}
template <class T>
__device__ const T* out_of(const FusedMlp& p, const void* out, int expert, int64_t first) {
  return static_cast<const T*>(out) + expert * p.width * p.hidden + first;
}

/// Starts to copy a matrix [kRows, kColumns] to panels, zeros outside [rows, columns]; its rows lie
/// `stride` values apart. All threads of the block.
template <int kRows, int kColumns, int kThreadCount, class T>
__device__ void copy_matrix(const T* from, int64_t stride, int64_t rows, int64_t columns, T* to) {
  constexpr int kUnits = kColumns / 8, kStep = kThreadCount / kUnits;
  static_assert(kStep % 8 == 0, "the swizzle is that of all rows of a thread");
  const int first = threadIdx.x / kUnits, unit = threadIdx.x % kUnits;
  const int end = unit * 8 < columns ? static_cast<int>(min(rows, int64_t{kRows})) : 0;
  const T* source = from + first * stride + unit * 8;
  T* place = to + unit / 8 * kRows * kPanel + swizzled(first, unit % 8);
#pragma unroll 4
  for (int row = first; row < kRows; row += kStep) {
    copy_async(place, row < end ? source : from, row < end);
    source += kStep * stride;
    place += kStep * kPanel;
  }
}
/// Starts to copy row `row` of a tile [64, kColumns], zeros from `columns` on. kShare consecutive
/// threads.
template <int kColumns, int kShare, class T>
__device__ void copy_row(const T* from, int row, int64_t columns, T* to) {
#pragma unroll
  for (int unit = threadIdx.x % kShare; unit < kColumns / 8; unit += kShare) {
    const bool valid = unit * 8 < columns;
    copy_async(to + unit / 8 * kBlockSize + swizzled(row, unit % 8), from + (valid ? unit * 8 : 0),
               valid);
  }
}

/// Puts sums [64, 8 kN] of a warpgroup, rounded, into a panel from unit `first` on.
template <class T, int kN>
__device__ void store_sums(const float (&sum)[kN][4], int first, T* panel) {
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 % 4 * 16 + lane % 8;
#pragma unroll
  for (int n = 0; n < kN; n += 4)
#pragma unroll
    for (int down = 0; down < 2; ++down)
      store_matrices(sum + n, down, panel + swizzled(row + 8 * down, first + n + lane / 8));
}

/// Where a warp turns sums [16, 32] into rows: units of 16 bytes, four of a row, swizzled.
template <class T>
struct alignas(128) RowScratch {
  T value[16 * 32];
  __device__ T* at(int row, int unit) { return value + row * 32 + ((unit ^ (row / 2 & 3)) << 3); }
};
/// Writes sums [64, 8 kN] of a warpgroup, rounded, to those places of `to` that lie inside
/// [rows, columns]; its rows lie `stride` apart. Row i becomes row place[i], where `place` is
/// there.
template <class T, int kN>
__device__ void write_sums(const float (&sum)[kN][4], int64_t rows, int64_t columns, int64_t stride,
                           RowScratch<T>& scratch, T* to, const int64_t* place = nullptr) {
  static_assert(kN % 4 == 0);
  const int lane = threadIdx.x % 32, top = threadIdx.x / 32 % 4 * 16;
#pragma unroll
  for (int n = 0; n < kN; n += 4) {
    __syncwarp();
#pragma unroll
    for (int down = 0; down < 2; ++down)
      store_matrices(sum + n, down, scratch.at(8 * down + lane % 8, lane / 8));
    __syncwarp();
    const int column = 8 * (n + lane % 4);
#pragma unroll
    for (int down = 0; down < 2; ++down) {
      const int row = 8 * down + lane / 4;
      const auto value = *reinterpret_cast<const uint4*>(scratch.at(row, lane % 4));
      if (top + row < rows && column < columns)
        *reinterpret_cast<uint4*>(to + (place ? place[top + row] : top + row) * stride + column) =
            value;
    }
  }
}
/// The same as they are.
template <class T, int kN>
__device__ void write_sums(const float (&sum)[kN][4], int64_t rows, int64_t columns, int64_t stride,
                           RowScratch<T>&, float* to) {
#pragma unroll
  for (int down = 0; down < 2; ++down) {
    const int row = sum_row() + 8 * down;
#pragma unroll
    for (int n = 0; n < kN; ++n) {
      const int column = n * 8 + threadIdx.x % 4 * 2;
      if (row < rows && column < columns)
        *reinterpret_cast<float2*>(to + row * stride + column) = {sum[n][2 * down],
                                                                  sum[n][2 * down + 1]};
    }
  }
}

/// Adds the shares of all results of the backward pass.
void fused_mlp_finish(const FusedMlpBackward& back, const FusedGrid& grid, void* stream);

inline int64_t padded_width(const FusedMlp& p) {
  const int64_t width = std::max(p.channels, p.width);
  return width <= 64 ? 64 : width <= 128 ? 128 : 256;
}
inline int device_attribute(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&value, attribute, device);
  return value;
}

/// Blocks that a multiprocessor holds, of `threads` threads and `bytes` of shared memory.
constexpr int resident_blocks(int threads, size_t bytes) {
  const auto fit = static_cast<int>((228 << 10) / (bytes + 1024));
  return fit < 768 / threads ? fit : 768 / threads;
}

/// Blocks of a kernel without slices of the hidden axis, or 1: `resident` a multiprocessor, each
/// with at least one tile of `rows` rows.
inline int64_t tile_blocks(const FusedMlp& p, int64_t rows, int64_t resident) {
  const int64_t most = resident * device_attribute(cudaDevAttrMultiProcessorCount);
  return std::max<int64_t>(1, std::min(most, p.entries / rows + p.slots));
}
/// Likewise with slices.
inline FusedGrid tile_grid(const FusedMlp& p, int64_t slice, int64_t rows, int64_t resident) {
  const int64_t slices = (p.hidden + slice - 1) / slice,
                most = resident * device_attribute(cudaDevAttrMultiProcessorCount) / slices;
  return {std::max<int64_t>(1, std::min(most, p.entries / rows + p.slots)), slices};
}

/// Calls run.operator()<64, 128 or 256>(), the least that `width` fits in.
template <class Run>
void with_padded(int64_t width, Run&& run) {
  if (width <= 64) return run.template operator()<64>();
  if (width <= 128) return run.template operator()<128>();
  run.template operator()<256>();
}
/// Calls run.operator()<padded width, gated>().
template <class Run>
void with_width(const FusedMlp& p, Run&& run) {
  with_padded(std::max(p.channels, p.width), [&]<int kWidth>() {
    if constexpr (kWidth <= 128)
      if (p.gated) return run.template operator()<kWidth, true>();
    run.template operator()<kWidth, false>();
  });
}
/// Calls run.operator()<T, padded width, gated>(), for half types.
template <class Run>
void with_fused(const FusedMlp& p, Run&& run) {
  const auto wide = [&]<class T>() {
    with_width(p, [&]<int kWidth, bool kGated>() { run.template operator()<T, kWidth, kGated>(); });
  };
  p.dtype == DType::Half ? wide.template operator()<__half>()
                         : wide.template operator()<__nv_bfloat16>();
}

}  // namespace switchyard::kernels
