#pragma once
// What a block of the backward pass of linear experts computes of a tile of 64 rows, for a slice of
// the outputs whose weights lie in shared memory.

#include "core/kernels/fused_linear.cuh"

namespace switchyard::kernels {

template <class Plan>
struct alignas(1024) LinearShared {
  using T = typename Plan::T;
  T weight[Plan::kSlice * Plan::kWidth];  // [slice, channels]
  T x[2][kLinearRows * Plan::kWidth], dy[2][kLinearRows * Plan::kSlice];
  T dx[kLinearRows * Plan::kWidth];
  float row_weight[2][kLinearRows];       // of this tile and the next
  float dot[Plan::kGroups][kLinearRows];  // dy W . x over a warpgroup's columns
  float bias_dot[kLinearRows];            // dy . bias
  int tile_end[kMostSlots];
};

/// Brings rows of x and dy and their weights.
template <class Plan>
class LinearFeed {
 public:
  __device__ LinearFeed(const FusedMlpBackward& back, LinearShared<Plan>& s, int64_t slice)
      : back_(back), s_(s), slice_(slice) {}
  __device__ void read_indices(const RowTile& tile) {
    rows_.read(back_.forward, tile);
    if (rows_.live && rows_.leads())
      entry_ = static_cast<int>(back_.forward.entry[tile.begin + rows_.row()]);
  }
  __device__ void start_copy(int buffer) {
    const FusedMlp& p = back_.forward;
    rows_.template copy<Plan::kWidth>(p.x, p.channels, 0, p.channels, s_.x[buffer]);
    rows_.template copy<Plan::kSlice>(back_.dy, p.hidden, slice_, p.hidden - slice_, s_.dy[buffer]);
    weight_ = rows_.live && rows_.leads() ? back_.weight[entry_] : 0.f;
    commit_copies();
  }
  __device__ void store_weight(int buffer) const {
    if (rows_.leads()) s_.row_weight[buffer][rows_.row()] = weight_;
  }

 private:
  const FusedMlpBackward& back_;
  LinearShared<Plan>& s_;
  int64_t slice_;
  RowAhead<Plan> rows_;
  int entry_ = 0;
  float weight_ = 0;
};

/// Scales dy by the weights of the rows, after its products with the bias, and sums its columns for
/// the gradient of the bias: a thread has 8 columns of every kStep-th row.
template <class Plan>
struct LinearScale {
  using T = typename Plan::T;
  static constexpr int kUnits = Plan::kSlice / 8, kStep = Plan::kThreadCount / kUnits;
  static_assert(kStep * Plan::kSlice * sizeof(float) <= sizeof(LinearShared<Plan>::dx));
  float sum[8] = {};

  __device__ void run(const FusedMlp& p, LinearShared<Plan>& s, int expert, int64_t slice,
                      int buffer) {
    const int unit = threadIdx.x % kUnits;
    const int64_t first = slice + unit * 8;
    Pack<T, 8> bias{};
    if (p.in_bias && first < p.hidden)
      bias = *reinterpret_cast<const Pack<T, 8>*>(bias_at<T>(p, expert, 0, first));
#pragma unroll
    for (int row = threadIdx.x / kUnits; row < kLinearRows; row += kStep) {
      const int at = unit / 8 * kBlockSize + swizzled(row, unit % 8);
      auto& pack = *reinterpret_cast<Pack<T, 8>*>(s.dy[buffer] + at);
      const float w = s.row_weight[buffer][row];
      Pack<T, 8> values = pack;
      float dot = 0;
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const float d = load(values.v + i);
        dot += d * load(bias.v + i);
        sum[i] += w * d;
        store(values.v + i, w * d);
      }
      pack = values;
      if (!p.in_bias) continue;
      for (int step = 1; step < kUnits; step *= 2) dot += __shfl_xor_sync(kFullWarp, dot, step);
      if (unit == 0) s.bias_dot[row] = dot;
    }
  }
  /// Writes the sums of all rows, to `whole` if not null, and starts again from zero.
  __device__ void flush(T* scratch, int64_t columns, float* parts, T* whole) {
    auto* all = reinterpret_cast<float(*)[Plan::kSlice]>(scratch);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      all[threadIdx.x / kUnits][threadIdx.x % kUnits * 8 + i] = sum[i];
      sum[i] = 0;
    }
    __syncthreads();
    const int column = static_cast<int>(threadIdx.x);
    if (column < Plan::kSlice && column < columns) {
      float total = 0;
#pragma unroll
      for (int row = 0; row < kStep; ++row) total += all[row][column];
      if (whole)
        store(whole + column, total);
      else
        parts[column] = total;
    }
  }
};

/// A warpgroup's blocks [64, 64] of dW.
template <class Plan>
struct LinearGradient {
  using T = typename Plan::T;
  static constexpr int kOwn = Plan::kSlice / kPanel * Plan::kAcross / Plan::kGroups;
  unsigned group;
  float sum[kOwn][8][4] = {};

  __device__ unsigned row(int i) const { return (group * kOwn + i) / Plan::kAcross; }
  __device__ unsigned column(int i) const { return (group * kOwn + i) % Plan::kAcross; }
  /// Starts to add the products over the rows of a tile.
  __device__ void start(const LinearShared<Plan>& s, int buffer) {
    begin_products();
#pragma unroll
    for (int i = 0; i < kOwn; ++i)
      multiply<T>(sum[i], Down(s.dy[buffer] + row(i) * kBlockSize),
                  Down(s.x[buffer] + column(i) * kBlockSize), true);
    commit_products();
  }
  /// Writes the values inside [rows, columns], and starts again from zero.
  template <class To>
  __device__ void flush(int64_t rows, int64_t columns, RowScratch<T>& scratch, To* to) {
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
      const int64_t top = row(i) * 64, left = column(i) * 64;
      write_sums(sum[i], rows - top, columns - left, columns, scratch, to + top * columns + left);
#pragma unroll
      for (int j = 0; j < 32; ++j) sum[i][j / 4][j % 4] = 0;
    }
  }
};

/// The slice's share of dx rows: a warpgroup's columns of dy W.
template <class Plan>
struct LinearInput {
  using T = typename Plan::T;
  unsigned group;
  float sum[8][4];

  __device__ void start(const LinearShared<Plan>& s, int buffer) {
    begin_products();
#pragma unroll
    for (int i = 0; i < Plan::kSlice / kPanel; ++i)
      multiply<T>(sum, Along(s.dy[buffer] + i * kBlockSize),
                  Down(s.weight + (group * Plan::kSlice + i * 64) * kPanel), i > 0);
    commit_products();
  }
  /// Times the weights of the rows.
  __device__ void weigh(const LinearShared<Plan>& s, int buffer) {
#pragma unroll
    for (int down = 0; down < 2; ++down) {
      const float w = s.row_weight[buffer][sum_row() + 8 * down];
#pragma unroll
      for (int i = 0; i < 16; ++i) sum[i / 2][2 * down + i % 2] *= w;
    }
  }
  /// Its products with x.
  __device__ void dot(LinearShared<Plan>& s, int buffer) const {
    const T* x = s.x[buffer] + group * kBlockSize + threadIdx.x % 4 * 2;
    float total[2] = {};
#pragma unroll
    for (int n = 0; n < 8; ++n) {
      const T* at = x + swizzled(sum_row(), n);
#pragma unroll
      for (int i = 0; i < 4; ++i) total[i / 2] += sum[n][i] * load(at + i / 2 * 8 * kPanel + i % 2);
    }
#pragma unroll
    for (int down = 0; down < 2; ++down) {
      for (int step = 1; step < 4; step *= 2)
        total[down] += __shfl_xor_sync(kFullWarp, total[down], step);
      if (threadIdx.x % 4 == 0) s.dot[group][sum_row() + 8 * down] = total[down];
    }
  }
};

}  // namespace switchyard::kernels
