#pragma once
// What a block of the backward pass of the fused experts computes of a tile of 64 rows, for a slice
// of the hidden axis whose weights lie in shared memory.

#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {

constexpr int kRows = kBackwardRows, kGroups = 2, kThreadCount = 128 * kGroups;

template <class T_, int kWidth_, bool kGated_>
struct BackwardPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kIns = kGated_ ? 2 : 1;
  static constexpr bool kGated = kGated_;
  static constexpr int kSlice = fused_slice(kWidth, kGated);
  static constexpr int kAcross = kWidth / kPanel, kDeep = kSlice / kPanel;  // panels
  static constexpr int kPerMatrix = kAcross * kDeep;                        // gradient blocks
  static constexpr int kOwn = (kIns + 1) * kPerMatrix / kGroups;
  static constexpr int kUnits = kSlice / kUnit, kOwnUnits = kUnits / kGroups;
};

/// Matrices as panels of 64 columns, one after the other.
template <class Plan>
struct alignas(1024) BackwardShared {
  using T = typename Plan::T;
  T in[Plan::kIns][Plan::kSlice * Plan::kWidth];              // [slice, width]
  T out[Plan::kWidth * Plan::kSlice];                         // [width, slice]
  T x[2][kRows * Plan::kWidth], dy[2][kRows * Plan::kWidth];  // of this tile and the next
  T dz[Plan::kIns][kRows * Plan::kSlice], a[kRows * Plan::kSlice];
  RowScratch<T> scratch[kThreadCount / 32];
  int64_t token[2][kRows], entry[2][kRows];  // of the rows of the next tile and the one after it
  float weight[2][kRows];                    // of the rows
  float dot[Plan::kUnits][kRows];            // da . activation
  float bias[Plan::kIns][4][Plan::kSlice];   // sums of dz over the rows of a warp
  int tile_end[kMostSlots];
  TileShare share;  // of this block
  RowTile tile[4];  // step i's is tile[i % 4]
};

/// Adds the sums of dz over 16 rows to to[8 n ..].
template <int kN>
__device__ void add_columns(const float (&dz)[kN][4], float* to) {
#pragma unroll
  for (int n = 0; n < kN; ++n)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float sum = dz[n][i] + dz[n][i + 2];
      for (int step = 4; step < 32; step *= 2) sum += __shfl_xor_sync(kFullWarp, sum, step);
      if (threadIdx.x % 32 < 4) to[n * 8 + threadIdx.x % 4 * 2 + i] += sum;
    }
}

/// dz and the weighted activation of a tile at 32 hidden units, [64, 32], by a warpgroup.
template <class Plan>
struct HiddenUnit {
  using T = typename Plan::T;
  float z[4][4], up[4][4], da[4][4];

  /// Starts the products.
  __device__ void start(const BackwardShared<Plan>& s, int buffer, unsigned unit) {
    const unsigned h = unit * kUnit;
    begin_products();
#pragma unroll
    for (int i = 0; i < Plan::kAcross; ++i) {
      const Along x(s.x[buffer] + i * kBlockSize), dy(s.dy[buffer] + i * kBlockSize);
      const unsigned in = (i * Plan::kSlice + h) * kPanel;
      multiply<T>(z, x, Along(s.in[0] + in), i > 0);
      if constexpr (Plan::kGated) multiply<T>(up, x, Along(s.in[Plan::kIns - 1] + in), i > 0);
      const T* out = s.out + (h / kPanel * Plan::kWidth + i * kPanel) * kPanel + h % kPanel;
      multiply<T>(da, dy, Down(out), i > 0);
    }
    commit_products();
  }

  __device__ void finish(const FusedMlp& p, BackwardShared<Plan>& s, int expert, int64_t slice,
                         const float (&w)[2], unsigned unit) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
    const int64_t h = slice + unit * kUnit;
    if (p.in_bias) {
      add_to_rows(bias_at<T>(p, expert, 0, h), p.hidden - h, z);
      if constexpr (Plan::kGated) add_to_rows(bias_at<T>(p, expert, 1, h), p.hidden - h, up);
    }
    float dot[2] = {};
    with_fast_act(p.act, [&](auto tag) {
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const auto act = fast_act<T, decltype(tag)::value>(z[n][i]);
          const float gate = Plan::kGated ? up[n][i] : 1.f, d = da[n][i];
          dot[i / 2] += d * act.value * gate;
          z[n][i] = w[i / 2] * d * gate * act.slope;
          if constexpr (Plan::kGated) up[n][i] = w[i / 2] * d * act.value;
          da[n][i] = w[i / 2] * act.value * gate;
        }
    });
    const unsigned panel = unit / 2 * kBlockSize, first = unit % 2 * 4;
    store_sums(z, first, s.dz[0] + panel);
    if constexpr (Plan::kGated) store_sums(up, first, s.dz[Plan::kIns - 1] + panel);
    store_sums(da, first, s.a + panel);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      for (int step = 1; step < 4; step *= 2) dot[i] += __shfl_xor_sync(kFullWarp, dot[i], step);
      if (lane % 4 == 0) s.dot[unit][sum_row() + i * 8] = dot[i];
    }
    if (!p.in_bias) return;
    add_columns(z, s.bias[0][warp] + unit * kUnit);
    if constexpr (Plan::kGated) add_columns(up, s.bias[Plan::kIns - 1][warp] + unit * kUnit);
  }
};

/// The hidden gradients of a tile; the products of a unit run while the last one is finished.
template <class Plan>
__device__ void hidden_gradients(const FusedMlp& p, BackwardShared<Plan>& s, int expert,
                                 int64_t slice, int buffer, unsigned group) {
  const unsigned first = group * Plan::kOwnUnits;
  const int row = sum_row();
  const float w[2] = {s.weight[buffer][row], s.weight[buffer][row + 8]};
  HiddenUnit<Plan> unit[2];
  unit[0].start(s, buffer, first);
#pragma unroll
  for (int i = 0; i < Plan::kOwnUnits; ++i) {
    if (i + 1 < Plan::kOwnUnits) {
      unit[(i + 1) % 2].start(s, buffer, first + i + 1);
      wait_products<1>();
    } else {
      wait_products<0>();
    }
    unit[i % 2].finish(p, s, expert, slice, w, first + i);
  }
}

/// A warpgroup's blocks [64, 64] of the weight gradients: of the parts of the first layer, [hidden,
/// channels], and of the second, [width, hidden].
template <class Plan>
struct GradientBlocks {
  using T = typename Plan::T;
  unsigned group;
  float sum[Plan::kOwn][8][4];

  /// Where block i lies: in part `which` of the first layer, or, kIns, in the second; in blocks.
  struct Place {
    unsigned which, row, column;
  };
  __device__ Place place(int i) const {
    const unsigned at = group * Plan::kOwn + i, which = at / Plan::kPerMatrix,
                   block = at % Plan::kPerMatrix;
    if (which == Plan::kIns) return {which, block / Plan::kDeep, block % Plan::kDeep};
    return {which, block / Plan::kAcross, block % Plan::kAcross};
  }
  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < Plan::kOwn * 32; ++i) sum[i / 32][i / 4 % 8][i % 4] = 0;
  }
  /// Starts to add the products over the rows of a tile.
  __device__ void start(const BackwardShared<Plan>& s, int buffer) {
    begin_products();
#pragma unroll
    for (int i = 0; i < Plan::kOwn; ++i) {
      const Place at = place(i);
      const bool out = at.which == Plan::kIns;
      const T* left = out ? s.dy[buffer] : s.dz[0] + at.which * kRows * Plan::kSlice;
      const T* right = out ? s.a : s.x[buffer];
      multiply<T>(sum[i], Down(left + at.row * kBlockSize), Down(right + at.column * kBlockSize),
                  true);
    }
    commit_products();
  }
  /// Writes the values inside the gradients of an expert: in [kIns, hidden, channels] and
  /// out [width, hidden].
  template <class To>
  __device__ void write(const FusedMlp& p, BackwardShared<Plan>& s, int64_t slice, To* in,
                        To* out) const {
#pragma unroll
    for (int i = 0; i < Plan::kOwn; ++i) {
      const Place at = place(i);
      const int64_t row = at.row * 64, column = at.column * 64;
      if (at.which == Plan::kIns)
        write_sums(sum[i], p.width - row, p.hidden - slice - column, p.hidden,
                   s.scratch[threadIdx.x / 32], out + row * p.hidden + slice + column);
      else
        write_sums(sum[i], p.hidden - slice - row, p.channels - column, p.channels,
                   s.scratch[threadIdx.x / 32],
                   in + (at.which * p.hidden + slice + row) * p.channels + column);
    }
  }
};

/// A warpgroup's columns of the slice's share of dx of a tile.
template <class Plan>
struct InputGradient {
  using T = typename Plan::T;
  static constexpr int kColumns = Plan::kWidth / kGroups;
  static constexpr int kN = kColumns < kPanel ? kColumns / 8 : 8, kBlocks = kColumns / (8 * kN);
  unsigned group;
  float sum[kBlocks][kN][4];

  __device__ void start(const BackwardShared<Plan>& s) {
    begin_products();
#pragma unroll
    for (int i = 0; i < kBlocks; ++i)
#pragma unroll
      for (int part = 0; part < Plan::kIns; ++part)
#pragma unroll
        for (int deep = 0; deep < Plan::kDeep; ++deep) {
          const unsigned column = first_column(i);
          const T* in = s.in[part] + (column / kPanel * Plan::kSlice + deep * 64) * kPanel;
          multiply<T>(sum[i], Along(s.dz[part] + deep * kBlockSize), Down(in + column % kPanel),
                      part + deep > 0);
        }
    commit_products();
  }
  __device__ void write(const FusedMlpBackward& back, BackwardShared<Plan>& s,
                        const RowTile& tile) const {
    const int64_t channels = back.forward.channels;
    T* to = static_cast<T*>(const_cast<void*>(back.dx.rows)) +
            (blockIdx.y * back.forward.entries + tile.begin) * channels;
#pragma unroll
    for (int i = 0; i < kBlocks; ++i)
      write_sums(sum[i], tile.end - tile.begin, channels - first_column(i), channels,
                 s.scratch[threadIdx.x / 32], to + first_column(i));
  }

 private:
  __device__ unsigned first_column(int i) const { return group * kColumns + i * 8 * kN; }
};

/// The slice's share of the gradients of the weights of a tile's rows.
template <class Plan>
__device__ void weight_products(const FusedMlpBackward& back, const BackwardShared<Plan>& s,
                                const RowTile& tile) {
  const int row = static_cast<int>(threadIdx.x);
  if (row >= tile.end - tile.begin) return;
  float sum = 0;
#pragma unroll
  for (int i = 0; i < Plan::kUnits; ++i) sum += s.dot[i][row];
  back.dot[blockIdx.y * back.forward.entries + tile.begin + row] = sum;
}

}  // namespace switchyard::kernels
