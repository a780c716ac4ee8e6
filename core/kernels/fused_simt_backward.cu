#include "core/kernels/fused_simt.cuh"

namespace switchyard::kernels {
namespace {

// As the backward pass of the half types: a block has a run of tiles of 64 rows and a slice of the
// hidden axis, whose weights lie in shared memory and whose gradients stay in registers over all
// tiles of an expert.

template <int kWidth_, bool kGated_>
struct SimtPlan {
  static constexpr int kWidth = kWidth_, kIns = kGated_ ? 2 : 1;
  static constexpr bool kGated = kGated_;
  static constexpr int kRows = kBackwardRows, kSlice = kWidth == 64 ? 64 : 32;
  using Hidden = BlockSum<kRows, kSlice, 4, AlongRows, AlongRows>;
  using Input = BlockSum<kRows, kWidth, 4, AlongRows, DownColumns>;
  using InGradient = BlockSum<kSlice, kWidth, 4, DownColumns, DownColumns>;
  using OutGradient = BlockSum<kWidth, kSlice, kWidth * kSlice / 1024, DownColumns, DownColumns>;
};

template <class Plan>
struct alignas(16) SimtShared {
  float in[Plan::kIns][Plan::kSlice * padded(Plan::kWidth)];
  float out[Plan::kSlice * padded(Plan::kWidth)];  // transposed: [slice, width]
  float x[Plan::kRows * padded(Plan::kWidth)], dy[Plan::kRows * padded(Plan::kWidth)];
  float dz[Plan::kIns][Plan::kRows * padded(Plan::kSlice)], a[Plan::kRows * padded(Plan::kSlice)];
  int tile_end[kMostSlots];
};

template <class Plan>
__device__ void copy_slice(const FusedMlp& p, int expert, int64_t slice, SimtShared<Plan>& s) {
  for (int part = 0; part < Plan::kIns; ++part)
    copy_block<Plan::kSlice, Plan::kWidth>(in_of<float>(p, p.in, expert, part, slice), p.channels,
                                           p.hidden - slice, p.channels, s.in[part]);
  copy_turned<Plan::kWidth, Plan::kSlice>(out_of<float>(p, p.out, expert, slice), p.hidden, p.width,
                                          p.hidden - slice, s.out);
}

/// The products of a tile: z, without bias, to dz, and dy W2 to a.
template <class Plan>
__device__ void multiply_rows(SimtShared<Plan>& s) {
  constexpr int kStride = padded(Plan::kWidth), kNarrow = padded(Plan::kSlice);
  const auto multiply = [](const float* left, const float* right, float* to) {
    typename Plan::Hidden sum;
    sum.clear();
    sum.add({left, kStride}, {right, kStride}, Plan::kWidth);
    sum.store(kNarrow, to);
  };
#pragma unroll
  for (int part = 0; part < Plan::kIns; ++part) multiply(s.x, s.in[part], s.dz[part]);
  multiply(s.dy, s.out, s.a);
}

/// dz and the weighted activation of a tile in their place, and the slice's share of the gradients
/// of the weights of its rows: kShare threads have a row.
template <class Plan>
__device__ void hidden_gradients(const FusedMlpBackward& back, SimtShared<Plan>& s,
                                 const RowTile& tile, int64_t slice) {
  constexpr int kShare = kThreads / Plan::kRows, kUp = Plan::kIns - 1;
  const FusedMlp& p = back.forward;
  const int row = threadIdx.x / kShare, at = tile.begin + row;
  const float w = at < tile.end ? back.weight[p.entry[at]] : 0.f;
  float dot = 0;
  with_fast_act(p.act, [&](auto tag) {
    for (int h = threadIdx.x % kShare; h < Plan::kSlice; h += kShare) {
      const int i = row * padded(Plan::kSlice) + h;
      const auto act =
          act_slope<decltype(tag)::value>(s.dz[0][i] + bias_of(p, tile.expert, 0, slice + h));
      const float d = s.a[i],
                  up = Plan::kGated ? s.dz[kUp][i] + bias_of(p, tile.expert, 1, slice + h) : 1.f;
      dot += d * act.value * up;
      s.dz[0][i] = w * d * up * act.slope;
      if (Plan::kGated) s.dz[kUp][i] = w * d * act.value;
      s.a[i] = w * act.value * up;
    }
  });
  for (int step = 1; step < kShare; step *= 2) dot += __shfl_xor_sync(kFullWarp, dot, step);
  if (threadIdx.x % kShare == 0 && at < tile.end) back.dot[blockIdx.y * p.entries + at] = dot;
}

/// The gradients of the weights of a slice of an expert, over the tiles of a block.
template <class Plan>
struct WeightGradients {
  typename Plan::InGradient in[Plan::kIns];
  typename Plan::OutGradient out;
  float bias;  // of hidden unit threadIdx.x of all parts

  __device__ void clear() {
    for (auto& part : in) part.clear();
    out.clear();
    bias = 0;
  }
  __device__ void add(const SimtShared<Plan>& s) {
    constexpr int kStride = padded(Plan::kWidth), kNarrow = padded(Plan::kSlice);
#pragma unroll
    for (int part = 0; part < Plan::kIns; ++part)
      in[part].add({s.dz[part], kNarrow}, {s.x, kStride}, Plan::kRows);
    out.add({s.dy, kStride}, {s.a, kNarrow}, Plan::kRows);
    if (threadIdx.x >= Plan::kIns * Plan::kSlice) return;
    const float* dz = s.dz[threadIdx.x / Plan::kSlice] + threadIdx.x % Plan::kSlice;
    for (int row = 0; row < Plan::kRows; ++row) bias += dz[row * kNarrow];
  }
  /// Writes them to places like those of the weights of one expert.
  __device__ void write(const FusedMlp& p, int64_t slice, float* d_in, float* d_out,
                        float* d_bias) const {
    const int64_t left = p.hidden - slice;
#pragma unroll
    for (int part = 0; part < Plan::kIns; ++part)
      in[part].write(left, p.channels, p.channels, d_in + (part * p.hidden + slice) * p.channels);
    out.write(p.width, left, p.hidden, d_out + slice);
    const int64_t h = threadIdx.x % Plan::kSlice;
    if (p.in_bias && threadIdx.x < Plan::kIns * Plan::kSlice && h < left)
      d_bias[threadIdx.x / Plan::kSlice * p.hidden + slice + h] = bias;
  }
};

/// Writes what a block has summed for an expert: the gradient, or its part.
template <class Plan>
__device__ void flush(const FusedMlpBackward& back, int expert, bool whole, int64_t slice,
                      const WeightGradients<Plan>& sums) {
  const FusedMlp& p = back.forward;
  const auto at = [&](float* parts, void* gradient, int64_t size) {
    return whole ? static_cast<float*>(gradient) + expert * size
                 : parts + (blockIdx.x + expert) * size;
  };
  const int64_t rows = Plan::kIns * p.hidden;
  sums.write(p, slice, at(back.in_parts, back.d_in, rows * p.channels),
             at(back.out_parts, back.d_out, p.width * p.hidden),
             at(back.in_bias_parts, back.d_in_bias, rows));
}

template <class Plan>
__device__ void input_gradient(const FusedMlpBackward& back, const SimtShared<Plan>& s,
                               const RowTile& tile) {
  const FusedMlp& p = back.forward;
  typename Plan::Input dx;
  dx.clear();
#pragma unroll
  for (int part = 0; part < Plan::kIns; ++part)
    dx.add({s.dz[part], padded(Plan::kSlice)}, {s.in[part], padded(Plan::kWidth)}, Plan::kSlice);
  dx.write(tile.end - tile.begin, p.channels, p.channels,
           static_cast<float*>(const_cast<void*>(back.dx.rows)) +
               (blockIdx.y * p.entries + tile.begin) * p.channels);
}

template <class Plan>
constexpr int kResident = resident_blocks(kThreads, sizeof(SimtShared<Plan>));

template <class Plan>
__global__ __launch_bounds__(kThreads, kResident<Plan>) void backward(FusedMlpBackward back) {
  extern __shared__ __align__(16) unsigned char bytes[];
  auto& s = *reinterpret_cast<SimtShared<Plan>*>(bytes);
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice;
  WeightGradients<Plan> sums;
  sums.clear();
  walk_tiles<Plan::kRows>(
      p, s.tile_end,
      [&](const RowTile& tile, bool is_new) {
        __syncthreads();
        copy_tokens<Plan::kRows, Plan::kWidth>(p, tile, p.x, p.channels, 0, s.x);
        copy_tokens<Plan::kRows, Plan::kWidth>(p, tile, back.dy, p.width, 0, s.dy);
        if (is_new) copy_slice(p, tile.expert, slice, s);
        commit_copies();
        wait_copies<0>();
        __syncthreads();
        multiply_rows(s);
        __syncthreads();
        hidden_gradients(back, s, tile, slice);
        __syncthreads();
        input_gradient(back, s, tile);
        sums.add(s);
      },
      [&](int expert, bool whole) {
        flush(back, expert, whole, slice, sums);
        sums.clear();
      });
}

}  // namespace

FusedGrid fused_simt_grid_cuda(const FusedMlp& p) {
  FusedGrid grid{};
  with_width(p, [&]<int kWidth, bool kGated>() {
    using Plan = SimtPlan<kWidth, kGated>;
    grid = tile_grid(p, Plan::kSlice, Plan::kRows, kResident<Plan>);
  });
  return grid;
}

void fused_simt_backward_cuda(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  with_width(p, [&]<int kWidth, bool kGated>() {
    using Plan = SimtPlan<kWidth, kGated>;
    constexpr size_t kBytes = sizeof(SimtShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(backward<Plan>, kBytes);
    const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.slices));
    if (p.entries > 0)
      backward<Plan><<<blocks, kThreads, kBytes, static_cast<cudaStream_t>(stream)>>>(back);
  });
  fused_mlp_finish(back, grid, stream);
}

}  // namespace switchyard::kernels
