#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

/// Of a chunk [16, 32]: gradients of z (and up), and per row the products da . activation added.
template <class Plan>
struct HiddenGrad {
  float z[4][4], up[4][4], dot[2];
};

/// da [16, 32] = dy W2 for a chunk; `out`: its columns of W2.
template <class Plan>
__device__ void second_gradient(const typename Plan::T* dy, const typename Plan::T* out,
                                float (&da)[4][4]) {
#pragma unroll
  for (int k = 0; k < Plan::kWidth; k += 16) {
    Fragment a, b;
    load_left(a, dy + k, Plan::kStride);
#pragma unroll
    for (int n = 0; n < 4; n += 2) {
      load_right(b, out + k * Plan::kOutStride + n * 8, Plan::kOutStride);
      multiply_add_pair<typename Plan::T>(da[n], da[n + 1], a, b);
    }
  }
}

template <class Plan>
__device__ void hidden_gradient(const FusedMlp& p, int expert, int chunk, const typename Plan::T* x,
                                const typename Plan::T* dy, const typename Plan::T* weight,
                                const float (&w)[2], HiddenGrad<Plan>& grad) {
  const int64_t left = p.hidden - chunk * kChunk;
  first_product<Plan>(x, weight, bias_of<Plan>(p, expert, 0, chunk), left, grad.z);
  if constexpr (Plan::kGated)
    first_product<Plan>(x, weight + kChunk * Plan::kStride, bias_of<Plan>(p, expert, 1, chunk),
                        left, grad.up);
  float da[4][4] = {};
  second_gradient<Plan>(dy, weight + Plan::kInSize, da);
  with_fast_act(p.act, [&](auto tag) {
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const auto act = fast_act<decltype(tag)::value>(grad.z[n][i]);
        const float up = Plan::kGated ? grad.up[n][i] : 1.f, scaled = w[i / 2] * da[n][i];
        grad.dot[i / 2] += da[n][i] * act.value * up;
        grad.z[n][i] = scaled * up * act.slope;
        grad.up[n][i] = scaled * act.value;
      }
  });
}

/// dx [16, width] += dz W1 for one part of a chunk; `in`: its rows of W1.
template <class Plan>
__device__ void add_input_gradient(const float (&dz)[4][4], const typename Plan::T* in,
                                   float (&dx)[Plan::kWidth / 8][4]) {
  using T = typename Plan::T;
#pragma unroll
  for (int k = 0; k < 2; ++k) {
    Fragment a, b;
    to_left<T>(a, dz[2 * k], dz[2 * k + 1]);
#pragma unroll
    for (int n = 0; n < Plan::kWidth / 8; n += 2) {
      load_right(b, in + k * 16 * Plan::kStride + n * 8, Plan::kStride);
      multiply_add_pair<T>(dx[n], dx[n + 1], a, b);
    }
  }
}

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount,
                             Plan::kBlocks) void backward(FusedMlpBackward back) {
  using T = typename Plan::T;
  const FusedMlp& p = back.forward;
  extern __shared__ __align__(16) unsigned char shared[];
  int* tile_end = reinterpret_cast<int*>(shared);
  T* tiles = reinterpret_cast<T*>(tile_end + kMostSlots);
  ChunkRing<Plan> ring(p, tile_end, tiles + 2 * Plan::kWarps * Plan::kTile);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  T *x = tiles + 2 * warp * Plan::kTile, *dy = x + Plan::kTile;
  const T* weights = static_cast<const T*>(back.weight);
  for (int index = ring.first; index < ring.last; ++index) {
    const RowTile tile = ring.tile(index);
    const int64_t begin = tile.begin + warp * kWarpRows;
    const int live = static_cast<int>(max(int64_t{0}, tile.end - begin));
    ring.enter(tile.expert);
    gather_tile<Plan>(p.x, p.token_of + begin, p.channels, live, x);
    gather_tile<Plan>(back.dy, p.token_of + begin, p.width, live, dy);
    float w[2] = {}, dx[Plan::kWidth / 8][4] = {};
    for (int i = 0; i < 2; ++i)
      if (lane / 4 + 8 * i < live) w[i] = load(weights + p.entry[begin + lane / 4 + 8 * i]);
    HiddenGrad<Plan> grad{};
    __syncwarp();
    for (int c = 0; c < ring.chunks; ++c) {
      const T* weight = ring.chunk(index, c);
      hidden_gradient<Plan>(p, tile.expert, c, x, dy, weight, w, grad);
      add_input_gradient<Plan>(grad.z, weight, dx);
      if constexpr (Plan::kGated)
        add_input_gradient<Plan>(grad.up, weight + kChunk * Plan::kStride, dx);
    }
    store_tile<Plan>(dx, x, p.channels, live, static_cast<T*>(back.dx_rows) + begin * p.channels);
    for (int i = 0; i < 2; ++i) {
      for (int step = 1; step < 4; step *= 2)
        grad.dot[i] += __shfl_xor_sync(kFullWarp, grad.dot[i], step);
      const int row = lane / 4 + 8 * i;
      if (lane % 4 == 0 && row < live)
        store(static_cast<T*>(back.dweight) + p.entry[begin + row], grad.dot[i]);
    }
  }
  wait_copies<0>();
}

}  // namespace

void fused_mlp_backward_cuda(const FusedMlpBackward& p, void* stream) {
  if (p.forward.entries == 0) return;
  with_fused(p.forward, [&]<class T, int kWidth, bool kGated>() {
    constexpr int kWarps = kWidth == 64 ? 12 : kWidth == 256 && kGated ? 4 : 8;
    using Plan = FusedPlan<T, kWidth, kGated, kWarps, 2, 1>;
    allow_shared(backward<Plan>, Plan::kBytes);
    backward<Plan><<<fused_blocks<Plan>(p.forward), Plan::kThreadCount, Plan::kBytes,
                     static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
