#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

// A block has a run of row tiles and a slice of the hidden axis, whose weights lie in shared
// memory. Per tile, warps first compute dz and the weighted activation, [rows, slice], into shared
// memory; then each adds to its 64 x 64 block of one weight gradient, which stays in registers over
// all tiles of an expert, and to dx. The gradient of an expert that lies in one block is written as
// it is; else the blocks leave parts in float, which are added in order.
constexpr int kSide = 64;

template <class T_, int kWidth_, bool kGated_>
struct BackwardPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kIns = kGated_ ? 2 : 1;
  static constexpr bool kGated = kGated_;
  static constexpr int kSlice = fused_slice(kWidth), kRows = kGated ? 32 : 64;
  static constexpr int kWarps = (kIns + 1) * kSlice * kWidth / (kSide * kSide);
  static constexpr int kThreadCount = 32 * kWarps;
  /// What a warp computes at once of the hidden gradients.
  static constexpr int kItemRows = kGated || kWidth == 256 ? 16 : 32,
                       kItemHidden = kGated ? 16 : 32;
  static constexpr int kItemsDown = kRows / kItemRows, kItemsAcross = kSlice / kItemHidden;
  static constexpr int kStride = kWidth + kPad, kHiddenStride = kSlice + kPad;
};

template <class Plan>
struct alignas(16) BackwardShared {
  using T = typename Plan::T;
  T in[Plan::kIns][Plan::kSlice * Plan::kStride], out[Plan::kWidth * Plan::kHiddenStride];
  T x[2][Plan::kRows * Plan::kStride], dy[2][Plan::kRows * Plan::kStride];  // this tile, the next
  T dz[Plan::kIns][Plan::kRows * Plan::kHiddenStride], a[Plan::kRows * Plan::kHiddenStride];
  float weight[2][Plan::kRows];                            // of the rows
  float dot[Plan::kItemsAcross][Plan::kRows];              // da . activation
  float bias[Plan::kIns][Plan::kItemsDown][Plan::kSlice];  // sums of dz
  int tile_end[kMostSlots];
};

/// Tiles of a block, one after the other; tiles without rows after the last.
template <class Plan>
class TileWalk {
 public:
  __device__ TileWalk(const FusedMlp& p, const int* tile_end, int first, int last)
      : p_(p), tile_end_(tile_end), index_(first), last_(last), tile_{0, 0, 0} {
    if (first < last) tile_ = tile_at(p, Plan::kRows, tile_end, first);
  }
  __device__ RowTile next() {
    if (index_ >= last_) return {tile_.expert, 0, 0};
    const RowTile tile = tile_;
    if (++index_ >= last_) return tile;
    if (index_ < tile_end_[tile.expert]) {
      tile_.begin = tile.end;
      tile_.end = min(tile.end + Plan::kRows, slot_begin(p_, tile.expert + 1));
    } else {
      tile_ = tile_at(p_, Plan::kRows, tile_end_, index_);
    }
    return tile;
  }

 private:
  const FusedMlp& p_;
  const int* tile_end_;
  int index_, last_;
  RowTile tile_;
};

/// Brings rows of x and dy: kShare threads share a row, whose token is read one tile ahead.
template <class Plan>
class RowFeed {
  using T = typename Plan::T;
  static constexpr int kShare = Plan::kThreadCount / Plan::kRows;

 public:
  __device__ RowFeed(const FusedMlpBackward& back, BackwardShared<Plan>& shared)
      : back_(back), s_(shared), row_(threadIdx.x / kShare), part_(threadIdx.x % kShare) {}
  __device__ void read_indices(const RowTile& tile) {
    live_ = tile.begin + row_ < tile.end;
    if (!live_) return;
    token_ = static_cast<int>(back_.forward.token_of[tile.begin + row_]);
    if (part_ == 0) entry_ = static_cast<int>(back_.forward.entry[tile.begin + row_]);
  }
  __device__ void start_copy(int buffer) {
    copy(back_.forward.x, back_.forward.channels, s_.x[buffer]);
    copy(back_.dy, back_.forward.width, s_.dy[buffer]);
    weight_ = live_ && part_ == 0 ? back_.weight[entry_] : 0.f;
    commit_copies();
  }
  __device__ void store_weight(int buffer) const {
    if (part_ == 0) s_.weight[buffer][row_] = weight_;
  }

 private:
  __device__ void copy(const void* from, int64_t width, T* to) const {
    const T* row = static_cast<const T*>(from) + (live_ ? token_ * width : 0);
#pragma unroll
    for (int unit = part_; unit < Plan::kWidth / 8; unit += kShare) {
      const bool valid = live_ && unit * 8 < width;
      copy_async(to + row_ * Plan::kStride + unit * 8, row + (valid ? unit * 8 : 0), valid);
    }
  }

  const FusedMlpBackward& back_;
  BackwardShared<Plan>& s_;
  int row_, part_;
  bool live_ = false;
  int token_ = 0, entry_ = 0;
  float weight_ = 0;
};

/// Sums over the rows of a value per row and column pair, added to[8 n ..] by the lanes of row 0.
template <int kM, int kN>
__device__ void add_columns(const float (&dz)[kM][kN][4], float* to) {
#pragma unroll
  for (int n = 0; n < kN; ++n)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float sum = 0;
#pragma unroll
      for (int m = 0; m < kM; ++m) sum += dz[m][n][i] + dz[m][n][i + 2];
      for (int step = 4; step < 32; step *= 2) sum += __shfl_xor_sync(kFullWarp, sum, step);
      if (threadIdx.x % 32 < 4) to[n * 8 + threadIdx.x % 4 * 2 + i] += sum;
    }
}

/// dz, the weighted activation, and the products da . activation of one item of a tile.
template <class Plan>
__device__ void hidden_item(const FusedMlp& p, BackwardShared<Plan>& s, int expert, int64_t slice,
                            int buffer, int item) {
  using T = typename Plan::T;
  constexpr int kM = Plan::kItemRows / 16, kN = Plan::kItemHidden / 8;
  constexpr int kStride = Plan::kStride, kHiddenStride = Plan::kHiddenStride;
  const int across = item % Plan::kItemsAcross, down = item / Plan::kItemsAcross;
  const int h = across * Plan::kItemHidden, row = down * Plan::kItemRows;
  float z[kM][kN][4], up[kM][kN][4], da[kM][kN][4] = {};
  const auto rows_of = [&](const T* rows) {
    return [=](Fragment& to, int m, int k) {
      load_left(to, rows + (row + m * 16) * kStride + k, kStride);
    };
  };
  const auto first_product = [&](int part, auto& sum) {
    start_rows(bias_at<T>(p, expert, part, slice + h), p.hidden - slice - h, sum);
    add_product<T, Plan::kWidth>(sum, rows_of(s.x[buffer]), [&](Fragment& to, int n, int k) {
      load_right_t(to, s.in[part] + (h + n * 8) * kStride + k, kStride);
    });
  };
  first_product(0, z);
  if constexpr (Plan::kGated) first_product(1, up);
  add_product<T, Plan::kWidth>(da, rows_of(s.dy[buffer]), [&](Fragment& to, int n, int k) {
    load_right(to, s.out + k * kHiddenStride + h + n * 8, kHiddenStride);
  });
  const int lane = threadIdx.x % 32;
  float dot[kM][2] = {};
  with_fast_act(p.act, [&](auto tag) {
#pragma unroll
    for (int m = 0; m < kM; ++m)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float w = s.weight[buffer][row + m * 16 + lane / 4 + i / 2 * 8];
#pragma unroll
        for (int n = 0; n < kN; ++n) {
          const auto act = fast_act<T, decltype(tag)::value>(z[m][n][i]);
          const float gate = Plan::kGated ? up[m][n][i] : 1.f, d = da[m][n][i];
          dot[m][i / 2] += d * act.value * gate;
          z[m][n][i] = w * d * gate * act.slope;
          if constexpr (Plan::kGated) up[m][n][i] = w * d * act.value;
          da[m][n][i] = w * act.value * gate;
        }
      }
  });
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int n = 0; n < kN; ++n) {
      const int at = (row + m * 16) * kHiddenStride + h + n * 8;
      store_pairs<T>(z[m][n], s.dz[0] + at, kHiddenStride);
      if constexpr (Plan::kGated) store_pairs<T>(up[m][n], s.dz[1] + at, kHiddenStride);
      store_pairs<T>(da[m][n], s.a + at, kHiddenStride);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      for (int step = 1; step < 4; step *= 2)
        dot[m][i] += __shfl_xor_sync(kFullWarp, dot[m][i], step);
      if (lane % 4 == 0) s.dot[across][row + m * 16 + lane / 4 + i * 8] = dot[m][i];
    }
  }
  if (!p.in_bias) return;
  add_columns(z, s.bias[0][down] + h);
  if constexpr (Plan::kGated) add_columns(up, s.bias[1][down] + h);
}

/// A warp's block of a weight gradient: of part `which` of the first layer, or of the second.
template <class Plan>
struct GradientBlock {
  using T = typename Plan::T;
  int which, row, column;  // [hidden, channels], or [width, hidden]
  float sum[kSide / 16][kSide / 8][4];

  __device__ GradientBlock() {
    constexpr int kPerMatrix = Plan::kWarps / (Plan::kIns + 1);
    const int warp = threadIdx.x / 32, block = warp % kPerMatrix;
    which = warp / kPerMatrix;
    const int across = (out() ? Plan::kSlice : Plan::kWidth) / kSide;
    row = block / across * kSide;
    column = block % across * kSide;
    clear();
  }
  __device__ bool out() const { return which == Plan::kIns; }
  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < kSide * kSide / 32; ++i) sum[i / 32][i / 4 % 8][i % 4] = 0;
  }
  /// sum += left^T right over the rows of a tile.
  template <int kLeftStride, int kRightStride>
  __device__ void add(const T* left, const T* right) {
    add_product<T, Plan::kRows>(
        sum,
        [&](Fragment& to, int m, int k) {
          load_left_t(to, left + k * kLeftStride + row + m * 16, kLeftStride);
        },
        [&](Fragment& to, int n, int k) {
          load_right(to, right + k * kRightStride + column + n * 8, kRightStride);
        });
  }
  __device__ void add_tile(const BackwardShared<Plan>& s, int buffer) {
    if (out())
      add<Plan::kStride, Plan::kHiddenStride>(s.dy[buffer], s.a);
    else
      add<Plan::kHiddenStride, Plan::kStride>(s.dz[Plan::kGated && which == 1], s.x[buffer]);
  }
  /// Writes the values inside [rows, columns] by put(row, column, value, value of column + 1).
  template <class Put>
  __device__ void write(int64_t rows, int64_t columns, Put&& put) const {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int m = 0; m < kSide / 16; ++m)
#pragma unroll
      for (int n = 0; n < kSide / 8; ++n)
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int64_t r = row + m * 16 + i * 8 + lane / 4, c = column + n * 8 + lane % 4 * 2;
          if (r < rows && c < columns) put(r, c, sum[m][n][2 * i], sum[m][n][2 * i + 1]);
        }
  }
};

/// The slice's share of dx of a tile.
template <class Plan>
__device__ void input_gradient(const FusedMlpBackward& back, const BackwardShared<Plan>& s,
                               const RowTile& tile) {
  using T = typename Plan::T;
  constexpr int kAcross = Plan::kWidth / 32, kItems = Plan::kRows / 16 * kAcross;
  const int64_t channels = back.forward.channels;
  T* to =
      static_cast<T*>(back.dx_rows) + (blockIdx.y * back.forward.entries + tile.begin) * channels;
  const int lane = threadIdx.x % 32;
  for (int item = threadIdx.x / 32; item < kItems; item += Plan::kWarps) {
    const int row = item / kAcross * 16, column = item % kAcross * 32;
    float dx[1][4][4] = {};
    for (int part = 0; part < Plan::kIns; ++part)
      add_product<T, Plan::kSlice>(
          dx,
          [&](Fragment& a, int, int k) {
            load_left(a, s.dz[part] + row * Plan::kHiddenStride + k, Plan::kHiddenStride);
          },
          [&](Fragment& b, int n, int k) {
            load_right(b, s.in[part] + k * Plan::kStride + column + n * 8, Plan::kStride);
          });
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int64_t r = row + i * 8 + lane / 4, c = column + n * 8 + lane % 4 * 2;
        if (tile.begin + r < tile.end && c < channels)
          *reinterpret_cast<uint32_t*>(to + r * channels + c) =
              packed(T(), dx[0][n][2 * i], dx[0][n][2 * i + 1]);
      }
  }
}

/// The slice's share of the gradients of the weights of a tile's rows.
template <class Plan>
__device__ void weight_products(const FusedMlpBackward& back, const BackwardShared<Plan>& s,
                                const RowTile& tile) {
  const int row = static_cast<int>(threadIdx.x);
  if (row >= tile.end - tile.begin) return;
  float sum = 0;
#pragma unroll
  for (int i = 0; i < Plan::kItemsAcross; ++i) sum += s.dot[i][row];
  back.dot[blockIdx.y * back.forward.entries + tile.begin + row] = sum;
}

/// Writes what a block has summed for an expert, and starts again from zero.
template <class Plan>
__device__ void flush(const FusedMlpBackward& back, BackwardShared<Plan>& s, int expert, bool whole,
                      GradientBlock<Plan>& block) {
  using T = typename Plan::T;
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice, part = blockIdx.x + expert;
  const int64_t in_rows = Plan::kIns * p.hidden;
  const auto write = [&](void* final, float* parts, int64_t size, int64_t rows, int64_t columns,
                         int64_t stride, int64_t first) {
    block.write(rows, columns, [&](int64_t r, int64_t c, float even, float odd) {
      const int64_t at = first + r * stride + c;
      if (whole)
        *reinterpret_cast<uint32_t*>(static_cast<T*>(final) + expert * size + at) =
            packed(T(), even, odd);
      else
        *reinterpret_cast<float2*>(parts + part * size + at) = {even, odd};
    });
  };
  if (block.out())
    write(back.d_out, back.out_parts, p.width * p.hidden, p.width, p.hidden - slice, p.hidden,
          slice);
  else
    write(back.d_in, back.in_parts, in_rows * p.channels, p.hidden - slice, p.channels, p.channels,
          (block.which * p.hidden + slice) * p.channels);
  block.clear();
  if (!p.in_bias) return;
  for (int i = threadIdx.x; i < Plan::kIns * Plan::kSlice; i += Plan::kThreadCount) {
    const int which = i / Plan::kSlice, h = i % Plan::kSlice;
    float sum = 0;
    for (auto& down : s.bias[which]) {
      sum += down[h];
      down[h] = 0;
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
__global__ __launch_bounds__(Plan::kThreadCount, 1) void backward(FusedMlpBackward back) {
  extern __shared__ __align__(16) unsigned char bytes[];
  auto& s = *reinterpret_cast<BackwardShared<Plan>*>(bytes);
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice;
  if (threadIdx.x < 32) count_tiles(p, Plan::kRows, s.tile_end);
  for (int i = threadIdx.x; i < Plan::kIns * Plan::kItemsDown * Plan::kSlice;
       i += Plan::kThreadCount)
    s.bias[0][0][i] = 0;
  __syncthreads();
  const TileShare share(p, s.tile_end, blockIdx.x, gridDim.x);
  TileWalk<Plan> walk(p, s.tile_end, share.first, share.last);
  RowFeed<Plan> feed(back, s);
  GradientBlock<Plan> block{};
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
      if (expert >= 0) flush(back, s, expert, share.has(s.tile_end, expert), block);
      expert = tile.expert;
      copy_weights<Plan, Plan::kSlice>(p, expert, slice, s.in[0], s.out);
      commit_copies();
    }
    wait_copies<0>();
    __syncthreads();
    feed.start_copy(buffer ^ 1);
    const RowTile ahead = walk.next();
    feed.read_indices(ahead);
    for (int item = threadIdx.x / 32; item < Plan::kItemsDown * Plan::kItemsAcross;
         item += Plan::kWarps)
      hidden_item<Plan>(p, s, expert, slice, buffer, item);
    __syncthreads();
    block.add_tile(s, buffer);
    input_gradient<Plan>(back, s, tile);
    weight_products<Plan>(back, s, tile);
    feed.store_weight(buffer ^ 1);
    tile = next;
    next = ahead;
  }
  wait_copies<0>();
  if (expert >= 0) flush(back, s, expert, share.has(s.tile_end, expert), block);
}

/// Adds the parts of an expert in order, 4 values per thread at a time.
template <class T>
__device__ void add_parts(const float* parts, int64_t begin, int64_t end, int64_t size, T* to) {
  const int64_t step = 4 * static_cast<int64_t>(blockDim.x) * gridDim.x;
  for (int64_t i = 4 * (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x); i < size;
       i += step) {
    float sum[4] = {};
#pragma unroll 4
    for (int64_t part = begin; part < end; ++part) {
      const float4 add = *reinterpret_cast<const float4*>(parts + part * size + i);
      sum[0] += add.x;
      sum[1] += add.y;
      sum[2] += add.z;
      sum[3] += add.w;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) store(to + i + j, sum[j]);
  }
}

/// Of expert blockIdx.y: gradients of its weights from the parts of several blocks, or zeros where
/// it has no rows; and of the weights of its rows.
template <class T>
__global__ void finish(FusedMlpBackward back, int rows, int blocks, int64_t slices) {
  __shared__ int tile_end[kMostSlots], first, last;
  const FusedMlp& p = back.forward;
  const int expert = blockIdx.y;
  if (threadIdx.x < 32) count_tiles(p, rows, tile_end);
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
  if (first != last) {
    const int64_t begin = first + expert, end = last + 1 + expert;
    const int64_t in_rows = (p.gated ? 2 : 1) * p.hidden, in = in_rows * p.channels,
                  out = p.width * p.hidden;
    add_parts(back.in_parts, begin, end, in, static_cast<T*>(back.d_in) + expert * in);
    add_parts(back.out_parts, begin, end, out, static_cast<T*>(back.d_out) + expert * out);
    if (p.in_bias)
      add_parts(back.in_bias_parts, begin, end, in_rows,
                static_cast<T*>(back.d_in_bias) + expert * in_rows);
  }
  const int64_t end = p.slot_offset[expert + 1];
  for (int64_t row = p.slot_offset[expert] + blockIdx.x * blockDim.x + threadIdx.x; row < end;
       row += gridDim.x * blockDim.x) {
    float sum = 0;
    for (int64_t i = 0; i < slices; ++i) sum += back.dot[i * p.entries + row];
    back.dweight[p.entry[row]] = sum;
  }
}

}  // namespace

FusedGrid fused_grid_cuda(const FusedMlp& p) {
  const int64_t slice = fused_slice(padded_width(p)), slices = (p.hidden + slice - 1) / slice;
  const int64_t tiles = p.entries / 64;  // no block is left without one
  return {std::max<int64_t>(1, std::min(processors() / slices, tiles)), slices};
}

void fused_mlp_backward_cuda(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  const auto s = static_cast<cudaStream_t>(stream);
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    using Plan = BackwardPlan<T, kWidth, kGated>;
    constexpr size_t kBytes = sizeof(BackwardShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(backward<Plan>, kBytes);
    const auto blocks = static_cast<unsigned>(grid.blocks), slots = static_cast<unsigned>(p.slots);
    if (p.entries > 0)
      backward<Plan>
          <<<dim3(blocks, static_cast<unsigned>(grid.slices)), Plan::kThreadCount, kBytes, s>>>(
              back);
    const unsigned share = std::max(1u, std::min(64u, 1024 / slots));
    finish<T><<<dim3(share, slots), kThreads, 0, s>>>(back, Plan::kRows, static_cast<int>(blocks),
                                                      grid.slices);
  });
}

}  // namespace switchyard::kernels
