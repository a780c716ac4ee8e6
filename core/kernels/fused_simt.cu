#include "core/kernels/fused_simt.cuh"

namespace switchyard::kernels {
namespace {

// A block works on a tile of rows of one expert at a time and walks the hidden axis in chunks,
// whose weights it reads anew for every tile.

template <int kWidth_, bool kGated_>
struct SimtPlan {
  static constexpr int kWidth = kWidth_, kIns = kGated_ ? 2 : 1;
  static constexpr bool kGated = kGated_;
  static constexpr int kRows = kWidth == 64 && !kGated ? 128 : 64, kChunk = kWidth == 256 ? 32 : 64;
  using Hidden = BlockSum<kRows, kChunk, 4, AlongRows, AlongRows>;
  using Output = BlockSum<kRows, kWidth, 4, AlongRows, AlongRows>;
};

template <class Plan>
struct alignas(16) SimtShared {
  float x[Plan::kRows * padded(Plan::kWidth)];
  float in[Plan::kIns][Plan::kChunk * padded(Plan::kWidth)];
  float out[Plan::kWidth * padded(Plan::kChunk)];
  float a[Plan::kIns][Plan::kRows * padded(Plan::kChunk)];  // before and after the activation
  int tile_end[kMostSlots];
};

/// z of a tile at a chunk of hidden units, without bias, to a.
template <class Plan>
__device__ void multiply_chunk(SimtShared<Plan>& s) {
#pragma unroll
  for (int part = 0; part < Plan::kIns; ++part) {
    typename Plan::Hidden z;
    z.clear();
    z.add({s.x, padded(Plan::kWidth)}, {s.in[part], padded(Plan::kWidth)}, Plan::kWidth);
    z.store(padded(Plan::kChunk), s.a[part]);
  }
}
/// a = act(z), or act(gate) * up: a thread has one hidden unit, the first of them is `first`.
template <class Plan>
__device__ void activate_chunk(const FusedMlp& p, SimtShared<Plan>& s, int expert, int64_t first) {
  constexpr int kStep = kThreads / Plan::kChunk, kUp = Plan::kIns - 1;
  const int h = threadIdx.x % Plan::kChunk;
  const float bias = bias_of(p, expert, 0, first + h),
              up_bias = Plan::kGated ? bias_of(p, expert, 1, first + h) : 0.f;
  with_fast_act(p.act, [&](auto act) {
    for (int row = threadIdx.x / Plan::kChunk; row < Plan::kRows; row += kStep) {
      const int at = row * padded(Plan::kChunk) + h;
      const float up = Plan::kGated ? s.a[kUp][at] + up_bias : 1.f;
      s.a[0][at] = act_value<decltype(act)::value>(s.a[0][at] + bias) * up;
    }
  });
}

template <class Plan>
__device__ void copy_chunk(const FusedMlp& p, SimtShared<Plan>& s, int expert, int64_t first) {
  for (int part = 0; part < Plan::kIns; ++part)
    copy_block<Plan::kChunk, Plan::kWidth>(in_of<float>(p, p.in, expert, part, first), p.channels,
                                           p.hidden - first, p.channels, s.in[part]);
  copy_block<Plan::kWidth, Plan::kChunk>(out_of<float>(p, p.out, expert, first), p.hidden, p.width,
                                         p.hidden - first, s.out);
}

template <class Plan>
constexpr int kResident = resident_blocks(kThreads, sizeof(SimtShared<Plan>));

template <class Plan>
__global__ __launch_bounds__(kThreads, kResident<Plan>) void forward(FusedMlp p) {
  extern __shared__ __align__(16) unsigned char bytes[];
  auto& s = *reinterpret_cast<SimtShared<Plan>*>(bytes);
  walk_tiles<Plan::kRows>(p, s.tile_end, [&](const RowTile& tile) {
    typename Plan::Output y;
    y.clear();
    for (int first = 0; first < p.hidden; first += Plan::kChunk) {
      __syncthreads();
      if (first == 0) copy_tokens<Plan::kRows, Plan::kWidth>(p, tile, p.x, p.channels, 0, s.x);
      copy_chunk(p, s, tile.expert, first);
      commit_copies();
      wait_copies<0>();
      __syncthreads();
      multiply_chunk(s);
      __syncthreads();
      activate_chunk(p, s, tile.expert, first);
      __syncthreads();
      y.add({s.a[0], padded(Plan::kChunk)}, {s.out, padded(Plan::kChunk)}, Plan::kChunk);
    }
    y.write(tile.end - tile.begin, p.width, p.width,
            static_cast<float*>(p.rows) + tile.begin * p.width);
  });
}

}  // namespace

void fused_simt_cuda(const FusedMlp& p, void* stream) {
  if (p.entries == 0) return;
  with_width(p, [&]<int kWidth, bool kGated>() {
    using Plan = SimtPlan<kWidth, kGated>;
    constexpr size_t kBytes = sizeof(SimtShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(forward<Plan>, kBytes);
    const int64_t blocks = tile_blocks(p, Plan::kRows, kResident<Plan>);
    forward<Plan>
        <<<static_cast<unsigned>(blocks), kThreads, kBytes, static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
