#include "core/kernels/fused_tile.cuh"

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
  count_tiles(p, kBackwardRows, tile_end);
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
  wait_for_previous();
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

/// One of `lanes` that sum all shares of a token's dx, N columns at a time; those of kBatch entries
/// and kShares slices are read at once.
template <class T, int N, int kBatch, int kShares>
__device__ void sum_token(const Combine& dx, int slices, int64_t token, int lane, int lanes) {
  using Row = Pack<T, N>;
  const int64_t begin = dx.token_offset[token], *position = dx.position + begin;
  const int k = static_cast<int>(dx.token_offset[token + 1] - begin),
            units = static_cast<int>(dx.width / N);
  for (int u = lane; u < units; u += lanes) {
    float sum[N] = {};
    for (int first = 0; first < k; first += kBatch) {
      const Row* from[kBatch];
#pragma unroll
      for (int j = 0; j < kBatch; ++j)
        from[j] = static_cast<const Row*>(dx.rows) + position[min(first + j, k - 1)] * units + u;
      wait_for_previous();
      for (int slice = 0; slice < slices; slice += kShares) {
        Row row[kShares][kBatch];
#pragma unroll
        for (int s = 0; s < kShares; ++s)
#pragma unroll
          for (int j = 0; j < kBatch; ++j)
            row[s][j] = from[j][min(slice + s, slices - 1) * dx.entries * units];
#pragma unroll
        for (int s = 0; s < kShares; ++s)
#pragma unroll
          for (int j = 0; j < kBatch; ++j)
            if (slice + s < slices && first + j < k)
#pragma unroll
              for (int i = 0; i < N; ++i) sum[i] += load(row[s][j].v + i);
      }
    }
    Row out;
#pragma unroll
    for (int i = 0; i < N; ++i) store(out.v + i, sum[i]);
    wait_for_previous();
    static_cast<Row*>(dx.out)[token * units + u] = out;
  }
}

/// The gradient of a weight by every thread.
__device__ inline void finish_weights(const FusedMlpBackward& back, int slices, unsigned block) {
  const int64_t a = block * static_cast<int64_t>(kThreads) + threadIdx.x;
  if (a >= back.forward.entries) return;
  const float* dot = back.dot + back.dx.position[a];
  wait_for_previous();
  float sum = 0;
#pragma unroll 4
  for (int s = 0; s < slices; ++s) sum += dot[s * back.forward.entries];
  back.dweight[a] = sum;
}

/// Blocks of the closing pass, in this order.
struct FinishGrid {
  unsigned tokens, weights, shares;  // the last: of every expert
};

/// Launched behind the backward kernel (where there are entries), which lets it start when all
/// before that one is done: the indices are read at once, what that one writes behind
/// wait_for_previous().
template <class T, int N, int kBatch, int kShares>
__global__ void __launch_bounds__(kThreads, kShares > 1 ? 3 : 4)
    finish(FusedMlpBackward back, FusedGrid grid, FinishGrid part, int shift) {
  if (back.forward.entries == 0) wait_for_previous();
  unsigned block = blockIdx.x;
  const int slices = static_cast<int>(grid.slices), slots = static_cast<int>(back.forward.slots);
  if (block < part.tokens) {
    const int64_t thread = block * static_cast<int64_t>(kThreads) + threadIdx.x;
    const int lanes = 1 << shift, lane = static_cast<int>(thread) & (lanes - 1);
    if (thread >> shift < back.dx.tokens)
      sum_token<T, N, kBatch, kShares>(back.dx, slices, thread >> shift, lane, lanes);
    return;
  }
  block -= part.tokens;
  if (block < part.weights) return finish_weights(back, slices, block);
  block -= part.weights;
  finish_expert<T>(back, static_cast<int>(grid.blocks), static_cast<int>(block) % slots,
                   static_cast<int>(block) / slots, static_cast<int>(part.shares));
}

}  // namespace

void fused_mlp_finish(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  const auto run = [&]<class T, int N, int kBatch, int kShares>() {
    const int shift = lane_shift(p.channels / N);
    const FinishGrid part{
        blocks_for(back.dx.tokens << shift, kThreads), blocks_for(p.entries, kThreads),
        static_cast<unsigned>(std::max<int64_t>(1, std::min<int64_t>(256 / p.slots, 32)))};
    launch_early(finish<T, N, kBatch, kShares>,
                 dim3(part.tokens + part.weights + part.shares * static_cast<unsigned>(p.slots)),
                 kThreads, 0, stream, back, grid, part, shift);
  };
  const auto typed = [&]<class T>() {
    if (grid.slices == 1) return run.template operator()<T, kPack<T>, 2, 1>();
    run.template operator()<T, kPack<T> / 2, 8, 2>();
  };
  if (p.dtype == DType::Float) return typed.template operator()<float>();
  p.dtype == DType::Half ? typed.template operator()<__half>()
                         : typed.template operator()<__nv_bfloat16>();
}

}  // namespace switchyard::kernels
