#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

// A block works on tiles of rows of one expert, a warp on 16 or 32 of them; the hidden axis is
// walked in chunks of 32, whose weights lie in a ring of shared memory, or all stay there where
// they fit and the expert is that of the last tile.
constexpr int kChunk = 32;

/// kWidth: channels and width, padded. kBlocks: blocks of 16 rows that a warp works on.
template <class T_, int kWidth_, bool kGated_, int kBlocks_, int kWarps_>
struct ForwardPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kBlocks = kBlocks_, kWarps = kWarps_;
  static constexpr bool kGated = kGated_;
  static constexpr int kThreadCount = 32 * kWarps, kWarpRows = 16 * kBlocks;
  static constexpr int kRows = kWarpRows * kWarps;
  static constexpr int kStride = kWidth + kPad, kOutStride = kChunk + kPad;
  static constexpr int kInSize = (kGated ? 2 : 1) * kChunk * kStride;
  static constexpr int kStage = kInSize + kWidth * kOutStride, kTile = kWarpRows * kStride;
  static constexpr int kFixed =
      kMostSlots * sizeof(int) + kWarps * kTile * static_cast<int>(sizeof(T));
  static constexpr int kFit = (kSharedPerBlock - kFixed) / (kStage * static_cast<int>(sizeof(T)));
  static constexpr int kStages = kFit < 8 ? kFit : 8;
  static constexpr size_t kBytes = kFixed + kStages * kStage * sizeof(T);
  static_assert(kStages >= 2);
};

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
  __device__ void copy(int expert, int c, T* stage) const {
    copy_weights<Plan, kChunk>(p, expert, c * kChunk, stage, stage + Plan::kInSize);
  }
  __device__ void issue(int step) const {
    const int index = first + step / chunks;
    if (index < last)
      copy(tile(index).expert, step % chunks, stages + step % Plan::kStages * Plan::kStage);
    commit_copies();
  }
  /// Before the chunks of a tile.
  __device__ void enter(int expert) {
    if (!resident || expert == resident_expert) return;
    __syncthreads();
    for (int c = 0; c < chunks; ++c) copy(expert, c, stages + c * Plan::kStage);
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

/// Gathers the rows of a warp, those from `rows` on as zeros, into its tile.
template <class Plan>
__device__ void gather_tile(const void* from, const int64_t* token_of, int64_t width, int rows,
                            typename Plan::T* tile) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8;
  const int lane = threadIdx.x % 32;
#pragma unroll 8
  for (int i = lane; i < Plan::kWarpRows * kUnits; i += 32) {
    const int row = i / kUnits, column = i % kUnits * 8;
    uint4 unit{};
    if (row < rows && column < width)
      unit = *reinterpret_cast<const uint4*>(static_cast<const T*>(from) + token_of[row] * width +
                                             column);
    *reinterpret_cast<uint4*>(tile + row * Plan::kStride + column) = unit;
  }
  __syncwarp();
}

/// Writes the first `rows` rows of the sums of a warp to `to` [., width], through its tile.
template <class Plan>
__device__ void store_tile(const float (&sum)[Plan::kBlocks][Plan::kWidth / 8][4],
                           typename Plan::T* tile, int64_t width, int rows, void* to) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8;
  const int lane = threadIdx.x % 32;
  __syncwarp();
#pragma unroll
  for (int m = 0; m < Plan::kBlocks; ++m)
#pragma unroll
    for (int n = 0; n < kUnits; ++n)
      store_pairs<T>(sum[m][n], tile + m * 16 * Plan::kStride + n * 8, Plan::kStride);
  __syncwarp();
  for (int i = lane; i < Plan::kWarpRows * kUnits; i += 32) {
    const int row = i / kUnits, column = i % kUnits * 8;
    if (row < rows && column < width)
      *reinterpret_cast<uint4*>(static_cast<T*>(to) + row * width + column) =
          *reinterpret_cast<const uint4*>(tile + row * Plan::kStride + column);
  }
  __syncwarp();
}

/// a [rows, 32] = act(z), or act(gate) * up, of a chunk.
template <class Plan>
__device__ void hidden_chunk(const FusedMlp& p, int expert, int chunk, const typename Plan::T* rows,
                             const typename Plan::T* weight, float (&a)[Plan::kBlocks][4][4]) {
  using T = typename Plan::T;
  constexpr int kStride = Plan::kStride;
  float up[Plan::kBlocks][4][4];
  const auto product = [&](int part, auto& z) {
#pragma unroll
    for (int i = 0; i < Plan::kBlocks * 16; ++i) z[i / 16][i / 4 % 4][i % 4] = 0;
    add_product<T, Plan::kWidth>(
        z, [&](Fragment& to, int m, int k) { load_left(to, rows + m * 16 * kStride + k, kStride); },
        [&](Fragment& to, int n, int k) {
          load_right_t(to, weight + (part * kChunk + n * 8) * kStride + k, kStride);
        });
    if (!p.in_bias) return;
    const auto* bias = bias_at<T>(p, expert, part, chunk * kChunk);
#pragma unroll
    for (int m = 0; m < Plan::kBlocks; ++m) add_to_rows(bias, p.hidden - chunk * kChunk, z[m]);
  };
  product(0, a);
  if constexpr (Plan::kGated) product(1, up);
  with_fast_act(p.act, [&](auto act) {
#pragma unroll
    for (int m = 0; m < Plan::kBlocks; ++m)
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          a[m][n][i] = fast_act<T, decltype(act)::value>(a[m][n][i]).value;
          if constexpr (Plan::kGated) a[m][n][i] *= up[m][n][i];
        }
  });
}

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount, 1) void forward(FusedMlp p) {
  using T = typename Plan::T;
  extern __shared__ __align__(16) unsigned char shared[];
  int* tile_end = reinterpret_cast<int*>(shared);
  T* tiles = reinterpret_cast<T*>(tile_end + kMostSlots);
  ChunkRing<Plan> ring(p, tile_end, tiles + Plan::kWarps * Plan::kTile);
  const int warp = threadIdx.x / 32;
  T* rows = tiles + warp * Plan::kTile;
  for (int index = ring.first; index < ring.last; ++index) {
    const RowTile tile = ring.tile(index);
    const int begin = tile.begin + warp * Plan::kWarpRows, live = max(0, tile.end - begin);
    ring.enter(tile.expert);
    if (ring.resident && live == 0) continue;
    gather_tile<Plan>(p.x, p.token_of + begin, p.channels, live, rows);
    float y[Plan::kBlocks][Plan::kWidth / 8][4] = {};
    for (int c = 0; c < ring.chunks; ++c) {
      const T* weight = ring.chunk(index, c);
      float a[Plan::kBlocks][4][4];
      hidden_chunk<Plan>(p, tile.expert, c, rows, weight, a);
      add_product<T, kChunk>(
          y, [&](Fragment& to, int m, int k) { to_left<T>(to, a[m][k / 8], a[m][k / 8 + 1]); },
          [&](Fragment& to, int n, int k) {
            load_right_t(to, weight + Plan::kInSize + n * 8 * Plan::kOutStride + k,
                         Plan::kOutStride);
          });
    }
    store_tile<Plan>(y, rows, p.width, live, static_cast<T*>(p.rows) + begin * p.width);
  }
  wait_copies<0>();
}

template <class Plan>
void run_forward(const FusedMlp& p, void* stream) {
  allow_shared(forward<Plan>, Plan::kBytes);
  const int64_t blocks = std::min<int64_t>(p.entries / Plan::kRows + p.slots, processors());
  forward<Plan><<<static_cast<unsigned>(blocks), Plan::kThreadCount, Plan::kBytes,
                  static_cast<cudaStream_t>(stream)>>>(p);
}

}  // namespace

void fused_mlp_cuda(const FusedMlp& p, void* stream) {
  if (p.entries == 0) return;
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    constexpr bool kNarrow = kWidth == 64;
    if (p.entries < 256 * p.slots)
      return run_forward<ForwardPlan<T, kWidth, kGated, 1, 4>>(p, stream);
    run_forward<ForwardPlan<T, kWidth, kGated, kNarrow && !kGated ? 2 : 1, kNarrow ? 12 : 8>>(
        p, stream);
  });
}

}  // namespace switchyard::kernels
