#include "core/kernels/fused_simt.cuh"

namespace switchyard::kernels {
namespace {

// Linear experts in float. Forward, a block walks the channels of a tile in chunks; backward, it
// has a run of tiles of 64 rows and a slice of the outputs, as the kernels of the half types.

template <int kWidth_>
struct LinearPlan {
  static constexpr int kWidth = kWidth_, kResident = kWidth == 256 ? 1 : 2;  // blocks
  static constexpr int kRows = kWidth == 64 ? 128 : 64, kChunk = 64;
  using Output = BlockSum<kRows, kWidth, 4, AlongRows, AlongRows>;
  static constexpr int kTile = kBackwardRows, kSlice = kWidth == 64 ? 64 : 32;
  using Input = BlockSum<kTile, kWidth, 4, AlongRows, DownColumns>;
  using Gradient = BlockSum<kSlice, kWidth, 4, DownColumns, DownColumns>;
};

template <class Plan>
struct alignas(16) ForwardShared {
  float x[Plan::kRows * padded(Plan::kChunk)], weight[Plan::kWidth * padded(Plan::kChunk)];
  int tile_end[kMostSlots];
};
template <class Plan>
struct alignas(16) BackwardShared {
  float weight[Plan::kSlice * padded(Plan::kWidth)];
  float x[Plan::kTile * padded(Plan::kWidth)], dy[Plan::kTile * padded(Plan::kSlice)];
  int tile_end[kMostSlots];
};
template <class Plan>
__global__ __launch_bounds__(kThreads, Plan::kResident) void forward(FusedMlp p) {
  constexpr int kChunk = Plan::kChunk, kStride = padded(kChunk);
  extern __shared__ __align__(16) unsigned char bytes[];
  auto& s = *reinterpret_cast<ForwardShared<Plan>*>(bytes);
  walk_tiles<Plan::kRows>(p, s.tile_end, [&](const RowTile& tile) {
    typename Plan::Output y;
    y.clear();
    for (int first = 0; first < p.channels; first += kChunk) {
      __syncthreads();
      copy_tokens<Plan::kRows, kChunk>(p, tile, p.x, p.channels, first, s.x);
      copy_block<Plan::kWidth, kChunk>(in_of<float>(p, p.in, tile.expert, 0, 0) + first, p.channels,
                                       p.hidden, p.channels - first, s.weight);
      commit_copies();
      wait_copies<0>();
      __syncthreads();
      y.add({s.x, kStride}, {s.weight, kStride}, kChunk);
    }
    y.write(tile.end - tile.begin, p.hidden, p.hidden,
            static_cast<float*>(p.rows) + tile.begin * p.hidden);
  });
}

/// The slice's share of the rows of dx and of the gradients of their weights.
template <class Plan>
__device__ void input_gradient(const FusedMlpBackward& back, const BackwardShared<Plan>& s,
                               const RowTile& tile) {
  using Sum = typename Plan::Input;
  const FusedMlp& p = back.forward;
  const int64_t begin = blockIdx.y * p.entries + tile.begin;
  Sum dx;
  dx.clear();
  dx.add({s.dy, padded(Plan::kSlice)}, {s.weight, padded(Plan::kWidth)}, Plan::kSlice);
#pragma unroll
  for (int i = 0; i < Sum::kTall; ++i) {
    const float* x = s.x + Sum::row(i) * padded(Plan::kWidth);
    float dot = 0;
#pragma unroll
    for (int j = 0; j < Sum::kWide; ++j) dot = fmaf(dx.sum[i][j], x[Sum::column(j)], dot);
    for (int step = 1; step < Sum::kAcross; step *= 2) dot += __shfl_xor_sync(kFullWarp, dot, step);
    const bool live = Sum::row(i) < tile.end - tile.begin;
    if (Sum::x() == 0 && live) back.dot[begin + Sum::row(i)] = dot;
    const float w = live ? back.weight[p.entry[tile.begin + Sum::row(i)]] : 0.f;
#pragma unroll
    for (int j = 0; j < Sum::kWide; ++j) dx.sum[i][j] *= w;
  }
  dx.write(tile.end - tile.begin, p.channels, p.channels,
           static_cast<float*>(const_cast<void*>(back.dx.rows)) + begin * p.channels);
}

/// dy times the weights of the rows, in its place; its products with the bias join those with W x.
template <class Plan>
__device__ void scale_rows(const FusedMlpBackward& back, BackwardShared<Plan>& s,
                           const RowTile& tile, int64_t slice) {
  constexpr int kShare = kThreads / Plan::kTile;
  const FusedMlp& p = back.forward;
  const int row = threadIdx.x / kShare, at = tile.begin + row;
  const float w = at < tile.end ? back.weight[p.entry[at]] : 0.f;
  float dot = 0;
  for (int d = threadIdx.x % kShare; d < Plan::kSlice; d += kShare) {
    float& dy = s.dy[row * padded(Plan::kSlice) + d];
    dot = fmaf(dy, bias_of(p, tile.expert, 0, slice + d), dot);
    dy *= w;
  }
  for (int step = 1; step < kShare; step *= 2) dot += __shfl_xor_sync(kFullWarp, dot, step);
  if (threadIdx.x % kShare == 0 && at < tile.end) back.dot[blockIdx.y * p.entries + at] += dot;
}

/// The gradients of a slice of an expert, over the tiles of a block.
template <class Plan>
struct WeightGradient {
  typename Plan::Gradient sum;
  float bias;  // of output threadIdx.x

  __device__ void clear() {
    sum.clear();
    bias = 0;
  }
  __device__ void add(const BackwardShared<Plan>& s) {
    sum.add({s.dy, padded(Plan::kSlice)}, {s.x, padded(Plan::kWidth)}, Plan::kTile);
    if (threadIdx.x >= Plan::kSlice) return;
    for (int row = 0; row < Plan::kTile; ++row)
      bias += s.dy[row * padded(Plan::kSlice) + threadIdx.x];
  }
  /// Writes the gradient of an expert, or this block's part of it.
  __device__ void write(const FusedMlpBackward& back, int expert, bool whole, int64_t slice) const {
    const FusedMlp& p = back.forward;
    const int64_t row = (whole ? expert : blockIdx.x + expert) * p.hidden + slice,
                  left = p.hidden - slice;
    float* d_in = whole ? static_cast<float*>(back.d_in) : back.in_parts;
    sum.write(left, p.channels, p.channels, d_in + row * p.channels);
    if (!p.in_bias || threadIdx.x >= Plan::kSlice || threadIdx.x >= left) return;
    (whole ? static_cast<float*>(back.d_in_bias) : back.in_bias_parts)[row + threadIdx.x] = bias;
  }
};

template <class Plan>
__global__ __launch_bounds__(kThreads, Plan::kResident) void backward(FusedMlpBackward back) {
  extern __shared__ __align__(16) unsigned char bytes[];
  auto& s = *reinterpret_cast<BackwardShared<Plan>*>(bytes);
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice;
  WeightGradient<Plan> sums;
  sums.clear();
  walk_tiles<Plan::kTile>(
      p, s.tile_end,
      [&](const RowTile& tile, bool is_new) {
        __syncthreads();
        copy_tokens<Plan::kTile, Plan::kWidth>(p, tile, p.x, p.channels, 0, s.x);
        copy_tokens<Plan::kTile, Plan::kSlice>(p, tile, back.dy, p.hidden, slice, s.dy);
        if (is_new)
          copy_block<Plan::kSlice, Plan::kWidth>(in_of<float>(p, p.in, tile.expert, 0, slice),
                                                 p.channels, p.hidden - slice, p.channels,
                                                 s.weight);
        commit_copies();
        wait_copies<0>();
        __syncthreads();
        input_gradient(back, s, tile);
        __syncthreads();
        scale_rows(back, s, tile, slice);
        __syncthreads();
        sums.add(s);
      },
      [&](int expert, bool whole) {
        sums.write(back, expert, whole, slice);
        sums.clear();
      });
}

/// Calls run.operator()<LinearPlan>().
template <class Run>
void with_plan(const FusedMlp& p, Run&& run) {
  with_padded(std::max(p.channels, p.hidden),
              [&]<int kWidth>() { run.template operator()<LinearPlan<kWidth>>(); });
}

}  // namespace

void fused_simt_linear_cuda(const FusedMlp& p, void* stream) {
  if (p.entries == 0) return;
  with_plan(p, [&]<class Plan>() {
    using Shared = ForwardShared<Plan>;
    allow_shared(forward<Plan>, sizeof(Shared));
    const int64_t blocks = tile_blocks(p, Plan::kRows, Plan::kResident);
    forward<Plan><<<static_cast<unsigned>(blocks), kThreads, sizeof(Shared),
                    static_cast<cudaStream_t>(stream)>>>(p);
  });
}

FusedGrid fused_simt_linear_grid_cuda(const FusedMlp& p) {
  FusedGrid grid{};
  with_plan(p,
            [&]<class Plan>() { grid = tile_grid(p, Plan::kSlice, Plan::kTile, Plan::kResident); });
  return grid;
}

void fused_simt_linear_backward_cuda(const FusedMlpBackward& back, const FusedGrid& grid,
                                     void* stream) {
  const FusedMlp& p = back.forward;
  with_plan(p, [&]<class Plan>() {
    using Shared = BackwardShared<Plan>;
    allow_shared(backward<Plan>, sizeof(Shared));
    const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.slices));
    if (p.entries > 0)
      backward<Plan><<<blocks, kThreads, sizeof(Shared), static_cast<cudaStream_t>(stream)>>>(back);
  });
  fused_mlp_finish(back, grid, stream);
}

}  // namespace switchyard::kernels
