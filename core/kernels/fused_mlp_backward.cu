#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

// A block has a run of tiles of 64 rows and a slice of the hidden axis, whose weights lie in shared
// memory. Per tile, its two warpgroups first compute dz and the weighted activation, [rows, slice],
// into shared memory, 32 hidden units at a time; then each adds to its 64 x 64 blocks of the weight
// gradients, which stay in registers over all tiles of an expert, and to dx. The gradient of an
// expert that lies in one block is written as it is; else the blocks leave parts in float, which
// are added in order.
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
  float weight[2][kRows];                   // of the rows
  float dot[Plan::kUnits][kRows];           // da . activation
  float bias[Plan::kIns][4][Plan::kSlice];  // sums of dz over the rows of a warp
  int tile_end[kMostSlots];
};

/// Starts to copy the weights of a slice of an expert.
template <class Plan>
__device__ void copy_slice(const FusedMlp& p, int expert, int64_t slice, BackwardShared<Plan>& s) {
  using T = typename Plan::T;
  for (int part = 0; part < Plan::kIns; ++part)
    copy_matrix<Plan::kSlice, Plan::kWidth, kThreadCount>(
        in_of<T>(p, expert, part, slice), p.channels, p.hidden - slice, p.channels, s.in[part]);
  copy_matrix<Plan::kWidth, Plan::kSlice, kThreadCount>(out_of<T>(p, expert, slice), p.hidden,
                                                        p.width, p.hidden - slice, s.out);
}

/// Brings rows of x and dy: kShare threads share a row, whose token is read one tile ahead.
template <class Plan>
class RowFeed {
  using T = typename Plan::T;
  static constexpr int kShare = kThreadCount / kRows;

 public:
  __device__ RowFeed(const FusedMlpBackward& back, BackwardShared<Plan>& shared)
      : back_(back), s_(shared), row_(threadIdx.x / kShare), part_(threadIdx.x % kShare) {}
  __device__ void read_indices(const RowTile& tile) {
    live_ = tile.begin + row_ < tile.end;
    if (!live_) return;
    token_ = back_.forward.token_of[tile.begin + row_];
    if (part_ == 0) entry_ = static_cast<int>(back_.forward.entry[tile.begin + row_]);
  }
  __device__ void start_copy(int buffer) {
    const FusedMlp& p = back_.forward;
    copy_row<Plan::kWidth, kShare>(static_cast<const T*>(p.x) + token_ * p.channels, row_,
                                   live_ ? p.channels : 0, s_.x[buffer]);
    copy_row<Plan::kWidth, kShare>(static_cast<const T*>(back_.dy) + token_ * p.width, row_,
                                   live_ ? p.width : 0, s_.dy[buffer]);
    weight_ = live_ && part_ == 0 ? back_.weight[entry_] : 0.f;
    commit_copies();
  }
  __device__ void store_weight(int buffer) const {
    if (part_ == 0) s_.weight[buffer][row_] = weight_;
  }

 private:
  const FusedMlpBackward& back_;
  BackwardShared<Plan>& s_;
  int row_, part_;
  bool live_ = false;
  int64_t token_ = 0;
  int entry_ = 0;
  float weight_ = 0;
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
  __device__ void start(const BackwardShared<Plan>& s, int buffer, int unit) {
    const int h = unit * kUnit;
    begin_products();
#pragma unroll
    for (int i = 0; i < Plan::kAcross; ++i) {
      const Along x(s.x[buffer] + i * kBlockSize), dy(s.dy[buffer] + i * kBlockSize);
      const int in = (i * Plan::kSlice + h) * kPanel;
      multiply<T>(z, x, Along(s.in[0] + in), i > 0);
      if constexpr (Plan::kGated) multiply<T>(up, x, Along(s.in[Plan::kIns - 1] + in), i > 0);
      const T* out = s.out + (h / kPanel * Plan::kWidth + i * kPanel) * kPanel + h % kPanel;
      multiply<T>(da, dy, Down(out), i > 0);
    }
    commit_products();
  }

  __device__ void finish(const FusedMlp& p, BackwardShared<Plan>& s, int expert, int64_t slice,
                         const float (&w)[2], int unit) {
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
    store(z, s.dz[0], unit);
    if constexpr (Plan::kGated) store(up, s.dz[Plan::kIns - 1], unit);
    store(da, s.a, unit);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      for (int step = 1; step < 4; step *= 2) dot[i] += __shfl_xor_sync(kFullWarp, dot[i], step);
      if (lane % 4 == 0) s.dot[unit][sum_row() + i * 8] = dot[i];
    }
    if (!p.in_bias) return;
    add_columns(z, s.bias[0][warp] + unit * kUnit);
    if constexpr (Plan::kGated) add_columns(up, s.bias[Plan::kIns - 1][warp] + unit * kUnit);
  }

 private:
  /// Writes values to the panels of `to` [rows, slice].
  __device__ static void store(const float (&value)[4][4], T* to, int unit) {
    const int lane = threadIdx.x % 32, row = sum_row();
    T* panel = to + unit / 2 * kBlockSize;
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      T* at = panel + swizzled(row, unit % 2 * 4 + n) + lane % 4 * 2;
      *reinterpret_cast<uint32_t*>(at) = packed(T(), value[n][0], value[n][1]);
      *reinterpret_cast<uint32_t*>(at + 8 * kPanel) = packed(T(), value[n][2], value[n][3]);
    }
  }
};

/// The hidden gradients of a tile; the products of a unit run while the last one is finished.
template <class Plan>
__device__ void hidden_gradients(const FusedMlp& p, BackwardShared<Plan>& s, int expert,
                                 int64_t slice, int buffer) {
  const int first = group_index() * Plan::kOwnUnits;
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
  float sum[Plan::kOwn][8][4];

  /// Where block i lies: in part `which` of the first layer, or, kIns, in the second; in blocks.
  struct Place {
    int which, row, column;
  };
  __device__ static Place place(int i) {
    const int block = group_index() * Plan::kOwn + i, which = block / Plan::kPerMatrix;
    const int across = which == Plan::kIns ? Plan::kDeep : Plan::kAcross;
    return {which, block % Plan::kPerMatrix / across, block % Plan::kPerMatrix % across};
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
  /// Writes the values of block i inside [rows, columns] by put(row, column, value, next value).
  template <class Put>
  __device__ void write(int i, int64_t rows, int64_t columns, Put&& put) const {
    const Place at = place(i);
    const int lane = threadIdx.x % 32, row = at.row * 64 + sum_row();
#pragma unroll
    for (int n = 0; n < 8; ++n)
#pragma unroll
      for (int down = 0; down < 2; ++down) {
        const int r = row + 8 * down, c = at.column * 64 + n * 8 + lane % 4 * 2;
        if (r < rows && c < columns) put(r, c, sum[i][n][2 * down], sum[i][n][2 * down + 1]);
      }
  }
};

/// A warpgroup's columns of the slice's share of dx of a tile.
template <class Plan>
struct InputGradient {
  using T = typename Plan::T;
  static constexpr int kColumns = Plan::kWidth / kGroups;
  static constexpr int kN = kColumns < kPanel ? kColumns / 8 : 8, kBlocks = kColumns / (8 * kN);
  float sum[kBlocks][kN][4];

  __device__ void start(const BackwardShared<Plan>& s) {
    begin_products();
#pragma unroll
    for (int i = 0; i < kBlocks; ++i)
#pragma unroll
      for (int part = 0; part < Plan::kIns; ++part)
#pragma unroll
        for (int deep = 0; deep < Plan::kDeep; ++deep) {
          const int column = first_column(i);
          const T* in = s.in[part] + (column / kPanel * Plan::kSlice + deep * 64) * kPanel;
          multiply<T>(sum[i], Along(s.dz[part] + deep * kBlockSize), Down(in + column % kPanel),
                      part + deep > 0);
        }
    commit_products();
  }
  __device__ void write(const FusedMlpBackward& back, const RowTile& tile) const {
    const int64_t channels = back.forward.channels;
    T* to = static_cast<T*>(const_cast<void*>(back.dx.rows)) +
            (blockIdx.y * back.forward.entries + tile.begin) * channels;
#pragma unroll
    for (int i = 0; i < kBlocks; ++i)
      write_rows<T>(sum[i], tile.end - tile.begin, channels, first_column(i), to);
  }

 private:
  __device__ static int first_column(int i) { return group_index() * kColumns + i * 8 * kN; }
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

/// Writes what a block has summed for an expert, and starts again from zero.
template <class Plan>
__device__ void flush(const FusedMlpBackward& back, BackwardShared<Plan>& s, int expert, bool whole,
                      GradientBlocks<Plan>& blocks) {
  using T = typename Plan::T;
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice, part = blockIdx.x + expert;
  const int64_t in_rows = Plan::kIns * p.hidden;
#pragma unroll
  for (int i = 0; i < Plan::kOwn; ++i) {
    const int which = blocks.place(i).which;
    const bool out = which == Plan::kIns;
    const int64_t stride = out ? p.hidden : p.channels, size = (out ? p.width : in_rows) * stride;
    const int64_t first = out ? slice : (which * p.hidden + slice) * p.channels;
    T* final = static_cast<T*>(out ? back.d_out : back.d_in) + expert * size + first;
    float* parts = (out ? back.out_parts : back.in_parts) + part * size + first;
    blocks.write(i, out ? p.width : p.hidden - slice, out ? p.hidden - slice : p.channels,
                 [&](int64_t row, int64_t column, float even, float odd) {
                   const int64_t at = row * stride + column;
                   if (whole)
                     *reinterpret_cast<uint32_t*>(final + at) = packed(T(), even, odd);
                   else
                     *reinterpret_cast<float2*>(parts + at) = {even, odd};
                 });
  }
  blocks.clear();
  if (!p.in_bias) return;
  for (int i = threadIdx.x; i < Plan::kIns * Plan::kSlice; i += kThreadCount) {
    const int which = i / Plan::kSlice, h = i % Plan::kSlice;
    float sum = 0;
    for (auto& warp : s.bias[which]) {
      sum += warp[h];
      warp[h] = 0;
    }
    if (slice + h >= p.hidden) continue;
    const int64_t at = which * p.hidden + slice + h;
    if (whole)
      store(static_cast<T*>(back.d_in_bias) + expert * in_rows + at, sum);
    else
      back.in_bias_parts[part * in_rows + at] = sum;
  }
}

template <class Plan>
__global__ __launch_bounds__(kThreadCount, 1) void backward(FusedMlpBackward back) {
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<BackwardShared<Plan>*>(bytes);
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice;
  if (threadIdx.x < 32) count_tiles(p, kRows, s.tile_end);
  for (int i = threadIdx.x; i < Plan::kIns * 4 * Plan::kSlice; i += kThreadCount)
    s.bias[0][0][i] = 0;
  __syncthreads();
  const TileShare share(p, s.tile_end, blockIdx.x, gridDim.x);
  TileWalk walk(p, kRows, s.tile_end, share.first, share.last);
  RowFeed<Plan> feed(back, s);
  GradientBlocks<Plan> blocks;
  blocks.clear();
  RowTile tile = walk.next();
  feed.read_indices(tile);
  feed.start_copy(0);
  feed.store_weight(0);
  RowTile next = walk.next();
  feed.read_indices(next);
  int expert = -1;
  for (int buffer = 0; tile.begin < tile.end; buffer ^= 1) {
    if (tile.expert != expert) {
      __syncthreads();
      if (expert >= 0) flush(back, s, expert, share.has(s.tile_end, expert), blocks);
      expert = tile.expert;
      copy_slice(p, expert, slice, s);
      commit_copies();
    }
    wait_copies<0>();
    publish_operands();
    __syncthreads();
    feed.start_copy(buffer ^ 1);
    const RowTile ahead = walk.next();
    feed.read_indices(ahead);
    hidden_gradients(p, s, expert, slice, buffer);
    publish_operands();
    __syncthreads();
    InputGradient<Plan> dx;
    dx.start(s);
    blocks.start(s, buffer);
    wait_products<1>();
    dx.write(back, tile);
    weight_products<Plan>(back, s, tile);
    feed.store_weight(buffer ^ 1);
    wait_products<0>();
    tile = next;
    next = ahead;
  }
  wait_copies<0>();
  if (expert >= 0) flush(back, s, expert, share.has(s.tile_end, expert), blocks);
}

}  // namespace

FusedGrid fused_grid_cuda(const FusedMlp& p) {
  const int64_t slice = fused_slice(padded_width(p), p.gated),
                slices = (p.hidden + slice - 1) / slice;
  const int64_t tiles = p.entries / kRows + p.slots;
  return {std::max<int64_t>(1, std::min(processors() / slices, tiles)), slices};
}

void fused_mlp_backward_cuda(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    using Plan = BackwardPlan<T, kWidth, kGated>;
    constexpr size_t kBytes = sizeof(BackwardShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(backward<Plan>, kBytes);
    const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.slices));
    if (p.entries > 0)
      backward<Plan><<<blocks, kThreadCount, kBytes, static_cast<cudaStream_t>(stream)>>>(back);
  });
  fused_mlp_finish(back, grid, stream);
}

}  // namespace switchyard::kernels
