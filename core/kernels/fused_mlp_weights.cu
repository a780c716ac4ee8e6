#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

// A block has a part of an expert's rows and a slice of the hidden axis, a warp 16 hidden units of
// it. Everything is transposed: z^T [hidden, rows], so that its sums are left factors of the
// gradients dW1 = dz^T x and dW2^T = a^T dy, which stay in registers over all rows of the part.
enum Which { kGate, kUp, kOut };

template <class T_, int kWidth_, bool kGated_>
struct WeightPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kParts = kGated_ ? 3 : 2;
  static constexpr bool kGated = kGated_;
  /// A warp has all gradients of its hidden units, or, where registers are short, one of them.
  static constexpr bool kSplit = kParts * kWidth / 2 > 128;
  static constexpr int kHiddenWarps = kSplit ? 4 : 8, kOwn = kSplit ? 1 : kParts;
  static constexpr int kThreadCount = 32 * kHiddenWarps * (kSplit ? kParts : 1);
  static constexpr int kSlice = 16 * kHiddenWarps, kRows = kWidth == 256 ? 32 : 64;
  static constexpr int kStride = kWidth + 8, kOutStride = kSlice + 8;
  static constexpr int kInSize = kSlice * kStride, kOutSize = kWidth * kOutStride;
  static constexpr int kTile = kRows * kStride;
  static constexpr size_t kBytes = kMostSlots * sizeof(int) + 2 * kRows * sizeof(float) +
                                   ((kGated ? 2 : 1) * kInSize + kOutSize + 4 * kTile) * sizeof(T);
  static_assert(kBytes <= kSharedPerBlock);
};

template <class Plan>
struct Shared {
  using T = typename Plan::T;
  int* part_end;
  float* weight;  // of the rows, two buffers
  T *in, *out, *rows;

  __device__ explicit Shared(unsigned char* at)
      : part_end(reinterpret_cast<int*>(at)),
        weight(reinterpret_cast<float*>(part_end + kMostSlots)),
        in(reinterpret_cast<T*>(weight + 2 * Plan::kRows)),
        out(in + (Plan::kGated ? 2 : 1) * Plan::kInSize),
        rows(out + Plan::kOutSize) {}
  __device__ T* x(int buffer) const { return rows + 2 * buffer * Plan::kTile; }
  __device__ T* dy(int buffer) const { return x(buffer) + Plan::kTile; }
};

template <class Plan>
__device__ void copy_weights(const FusedMlp& p, int expert, int64_t slice, const Shared<Plan>& to) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8, kOutUnits = Plan::kSlice / 8;
  constexpr int kInParts = Plan::kGated ? 2 : 1;
  const T *in = static_cast<const T*>(p.in), *out = static_cast<const T*>(p.out);
  for (int i = threadIdx.x; i < kInParts * Plan::kSlice * kUnits; i += Plan::kThreadCount) {
    const int row = i / kUnits, column = i % kUnits * 8;
    const int64_t h = slice + row % Plan::kSlice;
    const bool valid = h < p.hidden && column < p.channels;
    const int64_t from =
        ((expert * kInParts + row / Plan::kSlice) * p.hidden + h) * p.channels + column;
    copy_async(to.in + row * Plan::kStride + column, in + (valid ? from : 0), valid);
  }
  for (int i = threadIdx.x; i < Plan::kWidth * kOutUnits; i += Plan::kThreadCount) {
    const int row = i / kOutUnits, column = i % kOutUnits * 8;
    const int64_t h = slice + column;
    const bool valid = h < p.hidden && row < p.width;
    copy_async(to.out + row * Plan::kOutStride + column,
               out + (valid ? (expert * p.width + row) * p.hidden + h : 0), valid);
  }
}

/// Rows begin .. of x and dy and their weights, zeros from `end` on.
template <class Plan>
__device__ void copy_rows(const FusedMlpBackward& back, int64_t begin, int64_t end, int buffer,
                          const Shared<Plan>& to) {
  using T = typename Plan::T;
  constexpr int kUnits = Plan::kWidth / 8;
  const FusedMlp& p = back.forward;
  for (int i = threadIdx.x; i < Plan::kRows * kUnits; i += Plan::kThreadCount) {
    const int row = i / kUnits, column = i % kUnits * 8;
    const bool live = begin + row < end;
    const int64_t token = live ? p.token_of[begin + row] : 0;
    const auto copy = [&](T* tile, const void* from, int64_t width) {
      const bool valid = live && column < width;
      copy_async(tile + row * Plan::kStride + column,
                 static_cast<const T*>(from) + (valid ? token * width + column : 0), valid);
    };
    copy(to.x(buffer), p.x, p.channels);
    copy(to.dy(buffer), back.dy, p.width);
  }
  for (int row = threadIdx.x; row < Plan::kRows; row += Plan::kThreadCount)
    to.weight[buffer * Plan::kRows + row] =
        begin + row < end ? load(static_cast<const T*>(back.weight) + p.entry[begin + row]) : 0.f;
}

/// to [16, 32] += left right^T, where left [16, width] is stored as such or transposed.
template <class Plan, bool kTransposed>
__device__ void transposed_product(const typename Plan::T* left, const typename Plan::T* right,
                                   float (&to)[4][4]) {
#pragma unroll
  for (int k = 0; k < Plan::kWidth; k += 16) {
    Fragment a, b;
    if constexpr (kTransposed)
      load_left_t(a, left + k * Plan::kOutStride, Plan::kOutStride);
    else
      load_left(a, left + k, Plan::kStride);
#pragma unroll
    for (int n = 0; n < 4; n += 2) {
      load_right_t(b, right + n * 8 * Plan::kStride + k, Plan::kStride);
      multiply_add_pair<typename Plan::T>(to[n], to[n + 1], a, b);
    }
  }
}

/// What a warp gathers: gradients [16, width] and sums of its 16 hidden units.
template <class Plan>
struct WeightSums {
  float sum[Plan::kOwn][Plan::kWidth / 8][4], bias[2][2];
};

/// sum [16, width] += left [16, 32] rows [32, width].
template <class Plan>
__device__ void add_rows(const float (&left)[4][4], const typename Plan::T* rows,
                         float (&sum)[Plan::kWidth / 8][4]) {
#pragma unroll
  for (int k = 0; k < 2; ++k) {
    Fragment a, b;
    to_left<typename Plan::T>(a, left[2 * k], left[2 * k + 1]);
#pragma unroll
    for (int n = 0; n < Plan::kWidth / 8; n += 2) {
      load_right(b, rows + k * 16 * Plan::kStride + n * 8, Plan::kStride);
      multiply_add_pair<typename Plan::T>(sum[n], sum[n + 1], a, b);
    }
  }
}
__device__ inline void add_columns(const float (&dz)[4][4], float (&sum)[2]) {
#pragma unroll
  for (int n = 0; n < 4; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i / 2] += dz[n][i];
}

/// Hidden units of a warp at 32 rows. kOnly: the one gradient of this warp, or -1: all.
template <class Plan, int kOnly>
__device__ void add_block(const FusedMlp& p, const Shared<Plan>& s, const float (&bias)[2][2],
                          int hidden, int row, int buffer, WeightSums<Plan>& sums) {
  using T = typename Plan::T;
  const T *x = s.x(buffer) + row * Plan::kStride, *dy = s.dy(buffer) + row * Plan::kStride;
  float z[4][4], up[4][4], da[4][4] = {}, a[4][4];
#pragma unroll
  for (int n = 0; n < 4; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      z[n][i] = bias[0][i / 2];
      up[n][i] = bias[1][i / 2];
    }
  transposed_product<Plan, false>(s.in + hidden * Plan::kStride, x, z);
  if constexpr (Plan::kGated && kOnly != kUp)
    transposed_product<Plan, false>(s.in + Plan::kInSize + hidden * Plan::kStride, x, up);
  if constexpr (kOnly != kOut) transposed_product<Plan, true>(s.out + hidden, dy, da);
  const float* weight = s.weight + buffer * Plan::kRows + row + threadIdx.x % 4 * 2;
  with_fast_act(p.act, [&](auto tag) {
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const auto act = fast_act<decltype(tag)::value>(z[n][i]);
        const float w = weight[n * 8 + i % 2], gate = Plan::kGated ? up[n][i] : 1.f;
        a[n][i] = w * act.value * gate;
        z[n][i] = w * da[n][i] * gate * act.slope;
        up[n][i] = w * da[n][i] * act.value;
      }
  });
  constexpr int kOutAt = Plan::kSplit ? 0 : Plan::kParts - 1, kUpAt = Plan::kSplit ? 0 : 1;
  if constexpr (kOnly < 0 || kOnly == kGate) {
    add_rows<Plan>(z, x, sums.sum[0]);
    add_columns(z, sums.bias[0]);
  }
  if constexpr (Plan::kGated && (kOnly < 0 || kOnly == kUp)) {
    add_rows<Plan>(up, x, sums.sum[kUpAt]);
    add_columns(up, sums.bias[1]);
  }
  if constexpr (kOnly < 0 || kOnly == kOut) add_rows<Plan>(a, dy, sums.sum[kOutAt]);
}

/// Which of the gradients a warp has.
template <class Plan>
__device__ Which which_of(int group) {
  if (group == 0) return kGate;
  return Plan::kGated && group == 1 ? kUp : kOut;
}

template <class Plan>
__device__ void add_tile(const FusedMlp& p, const Shared<Plan>& s, const float (&bias)[2][2],
                         int hidden, int group, int buffer, WeightSums<Plan>& sums) {
  for (int row = 0; row < Plan::kRows; row += 32) {
    if constexpr (!Plan::kSplit) {
      add_block<Plan, -1>(p, s, bias, hidden, row, buffer, sums);
    } else {
      const Which which = which_of<Plan>(group);
      if (which == kGate) add_block<Plan, kGate>(p, s, bias, hidden, row, buffer, sums);
      if constexpr (Plan::kGated)
        if (which == kUp) add_block<Plan, kUp>(p, s, bias, hidden, row, buffer, sums);
      if (which == kOut) add_block<Plan, kOut>(p, s, bias, hidden, row, buffer, sums);
    }
  }
}

/// Writes sums [16, width] as rows h .. of to [., width], or as its columns where `transposed`.
template <class Plan>
__device__ void store_sums(const float (&sum)[Plan::kWidth / 8][4], int64_t h, int64_t hidden,
                           int64_t width, bool transposed, float* to) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < Plan::kWidth / 8; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int64_t row = h + lane / 4 + i / 2 * 8, column = n * 8 + lane % 4 * 2 + i % 2;
      if (row < hidden && column < width)
        to[transposed ? column * hidden + row : row * width + column] = sum[n][i];
    }
}
template <class Plan>
__device__ void store_bias(const float (&sum)[2], int64_t h, int64_t hidden, float* to) {
  const int lane = threadIdx.x % 32;
  for (int i = 0; i < 2; ++i) {
    float total = sum[i];
    for (int step = 1; step < 4; step *= 2) total += __shfl_xor_sync(kFullWarp, total, step);
    const int64_t row = h + lane / 4 + 8 * i;
    if (lane % 4 == 0 && row < hidden) to[row] = total;
  }
}

template <class Plan>
__device__ void store_part(const FusedMlpWeights& w, int64_t h, int group,
                           const WeightSums<Plan>& sums) {
  const FusedMlp& p = w.backward.forward;
  const int64_t in_rows = p.hidden * (Plan::kGated ? 2 : 1), part = blockIdx.x;
  for (int which = 0; which < 3; ++which) {
    if (which == kUp && !Plan::kGated) continue;
    if (Plan::kSplit && which != which_of<Plan>(group)) continue;
    const int own = Plan::kSplit ? 0 : which == kOut ? Plan::kParts - 1 : which;
#pragma unroll
    for (int i = 0; i < Plan::kOwn; ++i) {
      if (i != own) continue;
      if (which == kOut) {
        store_sums<Plan>(sums.sum[i], h, p.hidden, p.width, true,
                         w.out_parts + part * p.width * p.hidden);
      } else {
        const int64_t first = part * in_rows + which * p.hidden;
        store_sums<Plan>(sums.sum[i], h, p.hidden, p.channels, false,
                         w.in_parts + first * p.channels);
        if (w.d_in_bias)
          store_bias<Plan>(sums.bias[which == kUp ? 1 : 0], h, p.hidden, w.in_bias_parts + first);
      }
    }
  }
}

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount, 1) void add_weights(FusedMlpWeights w) {
  using T = typename Plan::T;
  const FusedMlp& p = w.backward.forward;
  extern __shared__ __align__(16) unsigned char bytes[];
  const Shared<Plan> s(bytes);
  if (threadIdx.x < 32) count_tiles(p, w.part_rows, s.part_end);
  __syncthreads();
  if (static_cast<int>(blockIdx.x) >= s.part_end[p.slots - 1]) return;
  const RowTile part = tile_at(p, w.part_rows, s.part_end, blockIdx.x);
  const int warp = threadIdx.x / 32, group = warp / Plan::kHiddenWarps;
  const int64_t slice = static_cast<int64_t>(blockIdx.y) * Plan::kSlice;
  const int hidden = warp % Plan::kHiddenWarps * 16;
  copy_weights<Plan>(p, part.expert, slice, s);
  copy_rows<Plan>(w.backward, part.begin, part.end, 0, s);
  commit_copies();
  float bias[2][2] = {};
  for (int i = 0; p.in_bias && i < 4; ++i) {
    const int64_t h = slice + hidden + threadIdx.x % 32 / 4 + i % 2 * 8;
    if (h < p.hidden && (i < 2 || Plan::kGated))
      bias[i / 2][i % 2] = load(static_cast<const T*>(p.in_bias) +
                                (part.expert * (Plan::kGated ? 2 : 1) + i / 2) * p.hidden + h);
  }
  WeightSums<Plan> sums{};
  int buffer = 0;
  for (int64_t row = part.begin; row < part.end; row += Plan::kRows, buffer ^= 1) {
    if (row + Plan::kRows < part.end)
      copy_rows<Plan>(w.backward, row + Plan::kRows, part.end, buffer ^ 1, s);
    commit_copies();
    wait_copies<1>();
    __syncthreads();
    add_tile<Plan>(p, s, bias, hidden, group, buffer, sums);
    __syncthreads();
  }
  store_part<Plan>(w, slice + hidden, group, sums);
}

/// to [E, size]: the parts of every expert added in order.
template <class T>
__global__ void add_parts(FusedMlpWeights w, const float* parts, int64_t size, T* to) {
  __shared__ int part_end[kMostSlots];
  const FusedMlp& p = w.backward.forward;
  if (threadIdx.x < 32) count_tiles(p, w.part_rows, part_end);
  __syncthreads();
  const int expert = blockIdx.y, first = expert == 0 ? 0 : part_end[expert - 1];
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= size) return;
  float sum = 0;
#pragma unroll 4
  for (int part = first; part < part_end[expert]; ++part) sum += parts[part * size + i];
  store(to + expert * size + i, sum);
}

template <class T>
void sum_parts(const FusedMlpWeights& w, const float* parts, int64_t size, void* to,
               cudaStream_t stream) {
  const dim3 grid(blocks_for(size, kThreads), static_cast<unsigned>(w.backward.forward.slots));
  add_parts<T><<<grid, kThreads, 0, stream>>>(w, parts, size, static_cast<T*>(to));
}

}  // namespace

void fused_mlp_weights_cuda(const FusedMlpWeights& w, void* stream) {
  const FusedMlp& p = w.backward.forward;
  const auto s = static_cast<cudaStream_t>(stream);
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    using Plan = WeightPlan<T, kWidth, kGated>;
    allow_shared(add_weights<Plan>, Plan::kBytes);
    const dim3 grid(static_cast<unsigned>(w.parts), blocks_for(p.hidden, Plan::kSlice));
    if (p.entries > 0) add_weights<Plan><<<grid, Plan::kThreadCount, Plan::kBytes, s>>>(w);
    const int64_t in_rows = p.hidden * (kGated ? 2 : 1);
    sum_parts<T>(w, w.in_parts, in_rows * p.channels, w.d_in, s);
    sum_parts<T>(w, w.out_parts, p.width * p.hidden, w.d_out, s);
    if (w.d_in_bias) sum_parts<T>(w, w.in_bias_parts, in_rows, w.d_in_bias, s);
  });
}

}  // namespace switchyard::kernels
