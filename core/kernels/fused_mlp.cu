#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

/// a [16, 32] = act(z), or act(gate) * up, of a chunk, as left factors.
template <class Plan>
__device__ void hidden_chunk(const FusedMlp& p, int expert, int chunk, const typename Plan::T* rows,
                             const typename Plan::T* weight, Fragment (&a)[2]) {
  using T = typename Plan::T;
  float z[4][4], up[4][4];
  const int64_t left = p.hidden - chunk * kChunk;
  first_product<Plan>(rows, weight, bias_of<Plan>(p, expert, 0, chunk), left, z);
  if constexpr (Plan::kGated)
    first_product<Plan>(rows, weight + kChunk * Plan::kStride, bias_of<Plan>(p, expert, 1, chunk),
                        left, up);
  with_fast_act(p.act, [&](auto act) {
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        z[n][i] = fast_act<decltype(act)::value>(z[n][i]).value;
        if constexpr (Plan::kGated) z[n][i] *= up[n][i];
      }
  });
  to_left<T>(a[0], z[0], z[1]);
  to_left<T>(a[1], z[2], z[3]);
}

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount, Plan::kBlocks) void forward(FusedMlp p) {
  using T = typename Plan::T;
  extern __shared__ __align__(16) unsigned char shared[];
  int* tile_end = reinterpret_cast<int*>(shared);
  T* tiles = reinterpret_cast<T*>(tile_end + kMostSlots);
  ChunkRing<Plan> ring(p, tile_end, tiles + Plan::kWarps * Plan::kTile);
  const int warp = threadIdx.x / 32;
  T* rows = tiles + warp * Plan::kTile;
  for (int index = ring.first; index < ring.last; ++index) {
    const RowTile tile = ring.tile(index);
    const int64_t begin = tile.begin + warp * kWarpRows;
    const int live = static_cast<int>(max(int64_t{0}, tile.end - begin));
    ring.enter(tile.expert);
    gather_tile<Plan>(p.x, p.token_of + begin, p.channels, live, rows);
    __syncwarp();
    float y[Plan::kWidth / 8][4] = {};
    for (int c = 0; c < ring.chunks; ++c) {
      const T* weight = ring.chunk(index, c);
      Fragment a[2], b;
      hidden_chunk<Plan>(p, tile.expert, c, rows, weight, a);
#pragma unroll
      for (int k = 0; k < 2; ++k)
#pragma unroll
        for (int n = 0; n < Plan::kWidth / 8; n += 2) {
          load_right_t(b, weight + Plan::kInSize + n * 8 * Plan::kOutStride + k * 16,
                       Plan::kOutStride);
          multiply_add_pair<T>(y[n], y[n + 1], a[k], b);
        }
    }
    store_tile<Plan>(y, rows, p.width, live, static_cast<T*>(p.rows) + begin * p.width);
  }
  wait_copies<0>();
}

}  // namespace

void fused_mlp_cuda(const FusedMlp& p, void* stream) {
  if (p.entries == 0) return;
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    using Plan = FusedPlan<T, kWidth, kGated, 8, 1, kWidth == 64 ? 2 : 1>;
    allow_shared(forward<Plan>, Plan::kBytes);
    forward<Plan><<<fused_blocks<Plan>(p), Plan::kThreadCount, Plan::kBytes,
                    static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
