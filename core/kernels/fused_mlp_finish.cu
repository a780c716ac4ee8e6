#include "core/kernels/fused_tile.cuh"
#include "core/kernels/rows.cuh"

namespace switchyard::kernels {
namespace {

/// Thread `at` of `threads` adds its share of the parts of an expert in order, 4 values at a time.
template <class T>
__device__ void add_parts(const float* parts, int begin, int end, int64_t size, int at, int threads,
                          T* to) {
  for (int64_t i = 4 * at; i < size; i += 4 * threads) {
    float sum[4] = {};
#pragma unroll 8
    for (int part = begin; part < end; ++part) {
      const auto add = *reinterpret_cast<const float4*>(parts + part * size + i);
      sum[0] += add.x;
      sum[1] += add.y;
      sum[2] += add.z;
      sum[3] += add.w;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) store(to + i + j, sum[j]);
  }
}

/// Gradients of an expert's weights from the parts of several blocks, or zeros where it has no
/// rows. Block `share` of `shares`.
template <class T>
__device__ void finish_expert(const FusedMlpBackward& back, int blocks, int expert, int share,
                              int shares) {
  __shared__ int tile_end[kMostSlots], first, last;
  const FusedMlp& p = back.forward;
  if (threadIdx.x < 32) count_tiles(p, kBackwardRows, tile_end);
  if (threadIdx.x == 0) {
    first = blocks;
    last = -1;
  }
  __syncthreads();
  for (int b = threadIdx.x; b < blocks; b += blockDim.x) {
    if (!TileShare(p, tile_end, b, blocks).meets(tile_end, expert)) continue;
    atomicMin(&first, b);
    atomicMax(&last, b);
  }
  __syncthreads();
  if (first == last) return;
  const int64_t in_rows = (p.gated ? 2 : 1) * p.hidden, in = in_rows * p.channels,
                out = p.width * p.hidden;
  const auto add = [&](const float* parts, int64_t size, void* to) {
    add_parts(parts, first + expert, last + 1 + expert, size, share * kThreads + threadIdx.x,
              shares * kThreads, static_cast<T*>(to) + expert * size);
  };
  add(back.in_parts, in, back.d_in);
  add(back.out_parts, out, back.d_out);
  if (p.in_bias) add(back.in_bias_parts, in_rows, back.d_in_bias);
}

/// dx of a token and the gradients of its weights.
template <class T, int N, int kBatch>
__device__ void finish_token(const FusedMlpBackward& back, int slices, int64_t token, int lane,
                             int lanes) {
  const Combine& dx = back.dx;
  const int64_t entries = back.forward.entries;
  combine_token<T, N, kBatch, true>(dx, slices, token, lane, lanes);
  const int64_t end = dx.token_offset[token + 1];
  for (int64_t a = dx.token_offset[token] + lane; a < end; a += lanes) {
    float sum = 0;
#pragma unroll 4
    for (int s = 0; s < slices; ++s) sum += back.dot[s * entries + dx.position[a]];
    back.dweight[a] = sum;
  }
}

/// The first blocks finish tokens, the last shares * slots experts.
template <class T, int N, int kBatch>
__global__ void __launch_bounds__(kThreads, 4)
    finish(FusedMlpBackward back, FusedGrid grid, int shares, int shift) {
  wait_for_previous();
  const int slots = static_cast<int>(back.forward.slots), lanes = 1 << shift;
  const int block = static_cast<int>(gridDim.x - blockIdx.x) - 1;
  if (block < shares * slots)
    return finish_expert<T>(back, static_cast<int>(grid.blocks), block % slots, block / slots,
                            shares);
  const int64_t thread = blockIdx.x * static_cast<int64_t>(kThreads) + threadIdx.x;
  if (thread >> shift < back.dx.tokens)
    finish_token<T, N, kBatch>(back, static_cast<int>(grid.slices), thread >> shift,
                               static_cast<int>(thread) & (lanes - 1), lanes);
}

}  // namespace

void fused_mlp_finish(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  const int shares = static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(256 / p.slots, 32)));
  const auto run = [&]<class T, int N, int kBatch>() {
    const int shift = lane_shift(p.channels / N);
    const unsigned blocks =
        static_cast<unsigned>(shares * p.slots) + blocks_for(back.dx.tokens << shift, kThreads);
    launch_early(finish<T, N, kBatch>, dim3(blocks), kThreads, 0, stream, back, grid, shares,
                 shift);
  };
  const auto typed = [&]<class T>() {
    if (grid.slices == 1) return run.template operator()<T, kPack<T>, 2>();
    run.template operator()<T, kPack<T> / 2, 8>();
  };
  p.dtype == DType::Half ? typed.template operator()<__half>()
                         : typed.template operator()<__nv_bfloat16>();
}

}  // namespace switchyard::kernels
