#pragma once
// What the fused expert kernels share. A block works on tiles of rows of one expert, a warp on 16
// of them; the hidden axis is walked in chunks of 32, whose weights lie in a ring of shared memory,
// or all stay there where they fit and the expert is that of the last tile.

#include "core/kernels/tensor_core.cuh"

namespace switchyard::kernels {

constexpr int kChunk = 32, kWarpRows = 16, kMostSlots = 1024;
constexpr int kSharedPerBlock = 226 << 10;

/// kWidth: channels and width, padded. kInputs: row tiles that a warp keeps (x; or x and dy).
template <class T_, int kWidth_, bool kGated_, int kWarps_, int kInputs_, int kBlocks_>
struct FusedPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kWarps = kWarps_, kInputs = kInputs_, kBlocks = kBlocks_;
  static constexpr bool kGated = kGated_;
  static constexpr int kThreadCount = 32 * kWarps, kRows = kWarpRows * kWarps;
  static constexpr int kInRows = kGated ? 2 * kChunk : kChunk;
  // Padded rows: eight of them in a matrix load touch all banks once.
  static constexpr int kStride = kWidth + 8, kOutStride = kChunk + 8;
  static constexpr int kInSize = kInRows * kStride, kStage = kInSize + kWidth * kOutStride;
  static constexpr int kTile = kWarpRows * kStride;
  static constexpr int kFixed =
      kMostSlots * sizeof(int) + kInputs * kWarps * kTile * static_cast<int>(sizeof(T));
  static constexpr int kFit =
      (kSharedPerBlock / kBlocks - kFixed) / (kStage * static_cast<int>(sizeof(T)));
  static constexpr int kStages = kFit < 8 ? kFit : 8;
  static constexpr size_t kBytes = kFixed + kStages * kStage * sizeof(T);
  static_assert(kStages >= 2);
};

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

struct RowTile {
  int expert;
  int64_t begin, end;  // rows; the last tile of an expert may be short
};
__device__ inline RowTile tile_at(const FusedMlp& p, int64_t rows, const int* tile_end, int tile) {
  int low = 0, high = static_cast<int>(p.slots) - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (tile_end[middle] > tile)
      high = middle;
    else
      low = middle + 1;
  }
  const int first = low == 0 ? 0 : tile_end[low - 1];
  const int64_t begin = p.slot_offset[low] + (tile - first) * rows;
  return {low, begin, min(begin + rows, p.slot_offset[low + 1])};
}

/// Starts to copy the weights of chunk `chunk` of an expert. All threads of the block.
template <class Plan>
__device__ void copy_chunk(const FusedMlp& p, int expert, int chunk, typename Plan::T* stage) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8, kOutUnits = kChunk / 8;
  const T *in = static_cast<const T*>(p.in), *out = static_cast<const T*>(p.out);
  const int64_t parts = Plan::kGated ? 2 : 1;
  for (int i = threadIdx.x; i < Plan::kInRows * kUnits; i += Plan::kThreadCount) {
    const int row = i / kUnits, column = i % kUnits * 8, h = chunk * kChunk + row % kChunk;
    const bool valid = h < p.hidden && column < p.channels;
    const int64_t from = ((expert * parts + row / kChunk) * p.hidden + h) * p.channels + column;
    copy_async(stage + row * Plan::kStride + column, in + (valid ? from : 0), valid);
  }
  for (int i = threadIdx.x; i < Plan::kWidth * kOutUnits; i += Plan::kThreadCount) {
    const int row = i / kOutUnits, column = i % kOutUnits * 8, h = chunk * kChunk + column;
    const bool valid = h < p.hidden && row < p.width;
    const int64_t from = (expert * p.width + row) * p.hidden + h;
    copy_async(stage + Plan::kInSize + row * Plan::kOutStride + column, out + (valid ? from : 0),
               valid);
  }
}

/// The tiles of this block and the ring of their chunks.
template <class Plan>
struct ChunkRing {
  using T = typename Plan::T;
  const FusedMlp& p;
  const int* tile_end;
  T* stages;
  int chunks, first, last, resident_expert;
  bool resident;

  __device__ ChunkRing(const FusedMlp& params, int* ends, T* ring)
      : p(params), tile_end(ends), stages(ring), resident_expert(-1) {
    if (threadIdx.x < 32) count_tiles(p, Plan::kRows, ends);
    __syncthreads();
    const int64_t tiles = ends[p.slots - 1];
    first = static_cast<int>(tiles * blockIdx.x / gridDim.x);
    last = static_cast<int>(tiles * (blockIdx.x + 1) / gridDim.x);
    chunks = static_cast<int>((p.hidden + kChunk - 1) / kChunk);
    resident = chunks <= Plan::kStages;
    if (resident) return;
    for (int step = 0; step < Plan::kStages - 1; ++step) issue(step);
  }
  __device__ RowTile tile(int index) const { return tile_at(p, Plan::kRows, tile_end, index); }
  __device__ void issue(int step) const {
    const int index = first + step / chunks;
    if (index < last)
      copy_chunk<Plan>(p, tile(index).expert, step % chunks,
                       stages + step % Plan::kStages * Plan::kStage);
    commit_copies();
  }
  /// Before the chunks of a tile.
  __device__ void enter(int expert) {
    if (!resident || expert == resident_expert) return;
    __syncthreads();
    for (int c = 0; c < chunks; ++c) copy_chunk<Plan>(p, expert, c, stages + c * Plan::kStage);
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    resident_expert = expert;
  }
  /// The weights of a chunk, ready to be read.
  __device__ const T* chunk(int index, int c) const {
    if (resident) return stages + c * Plan::kStage;
    const int step = (index - first) * chunks + c;
    wait_copies<Plan::kStages - 2>();
    __syncthreads();
    issue(step + Plan::kStages - 1);
    return stages + step % Plan::kStages * Plan::kStage;
  }
};

/// Gathers 16 rows of `width` values, those from `rows` on as zeros, into a tile of the warp.
template <class Plan>
__device__ void gather_tile(const void* from, const int64_t* token_of, int64_t width, int rows,
                            typename Plan::T* tile) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8;
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = lane; i < kWarpRows * kUnits; i += 32) {
    const int row = i / kUnits, column = i % kUnits * 8;
    uint4 unit{};
    if (row < rows && column < width)
      unit = *reinterpret_cast<const uint4*>(static_cast<const T*>(from) + token_of[row] * width +
                                             column);
    *reinterpret_cast<uint4*>(tile + row * Plan::kStride + column) = unit;
  }
}

/// Writes the first `rows` of 16 rows of sums to `to` [., width], through a tile of the warp.
template <class Plan>
__device__ void store_tile(const float (&sum)[Plan::kWidth / 8][4], typename Plan::T* tile,
                           int64_t width, int rows, void* to) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8;
  const int lane = threadIdx.x % 32;
  __syncwarp();
#pragma unroll
  for (int n = 0; n < kUnits; ++n) {
    T* at = tile + lane / 4 * Plan::kStride + n * 8 + lane % 4 * 2;
    *reinterpret_cast<uint32_t*>(at) = packed(T(), sum[n][0], sum[n][1]);
    *reinterpret_cast<uint32_t*>(at + 8 * Plan::kStride) = packed(T(), sum[n][2], sum[n][3]);
  }
  __syncwarp();
  for (int i = lane; i < kWarpRows * kUnits; i += 32) {
    const int row = i / kUnits, column = i % kUnits * 8;
    if (row < rows && column < width)
      *reinterpret_cast<uint4*>(static_cast<T*>(to) + row * width + column) =
          *reinterpret_cast<const uint4*>(tile + row * Plan::kStride + column);
  }
  __syncwarp();
}

/// z [16, 32] = rows W^T + bias for the part (gate or up) of a chunk; `weight`: its rows.
template <class Plan>
__device__ void first_product(const typename Plan::T* rows, const typename Plan::T* weight,
                              const typename Plan::T* bias, int64_t left, float (&z)[4][4]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < 4; ++n) {
    const int column = n * 8 + lane % 4 * 2;
    const bool here = bias && column < left;
    z[n][0] = z[n][2] = here ? load(bias + column) : 0.f;
    z[n][1] = z[n][3] = here ? load(bias + column + 1) : 0.f;
  }
#pragma unroll
  for (int k = 0; k < Plan::kWidth; k += 16) {
    Fragment a, b;
    load_left(a, rows + k, Plan::kStride);
#pragma unroll
    for (int n = 0; n < 4; n += 2) {
      load_right_t(b, weight + n * 8 * Plan::kStride + k, Plan::kStride);
      multiply_add_pair<typename Plan::T>(z[n], z[n + 1], a, b);
    }
  }
}
template <class Plan>
__device__ const typename Plan::T* bias_of(const FusedMlp& p, int expert, int part, int chunk) {
  const int64_t parts = Plan::kGated ? 2 : 1;
  const auto* bias = static_cast<const typename Plan::T*>(p.in_bias);
  return bias ? bias + (expert * parts + part) * p.hidden + chunk * kChunk : nullptr;
}

/// Blocks that run at once, at most one per tile.
template <class Plan>
unsigned fused_blocks(const FusedMlp& p) {
  int device = 0, processors = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  const int64_t tiles = p.entries / Plan::kRows + p.slots;
  return static_cast<unsigned>(std::min<int64_t>(tiles, processors * Plan::kBlocks));
}

/// Calls run.operator()<T, padded width, gated>().
template <class Run>
void with_fused(const FusedMlp& p, Run&& run) {
  const auto typed = [&]<class T, int kWidth>() {
    p.gated ? run.template operator()<T, kWidth, true>()
            : run.template operator()<T, kWidth, false>();
  };
  const int64_t width = std::max(p.channels, p.width);
  const auto wide = [&]<class T>() {
    if (width <= 64) return typed.template operator()<T, 64>();
    if (width <= 128) return typed.template operator()<T, 128>();
    typed.template operator()<T, 256>();
  };
  p.dtype == DType::Half ? wide.template operator()<__half>()
                         : wide.template operator()<__nv_bfloat16>();
}

}  // namespace switchyard::kernels
