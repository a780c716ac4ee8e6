#include "core/kernels/fused_gradient.cuh"

namespace switchyard::kernels {
namespace {

// A block has a run of tiles of 64 rows and a slice of the hidden axis, whose weights lie in shared
// memory. Per tile, its two warpgroups first compute dz and the weighted activation, [rows, slice],
// into shared memory, 32 hidden units at a time; then each adds to its 64 x 64 blocks of the weight
// gradients, which stay in registers over all tiles of an expert, and to dx. The gradient of an
// expert that lies in one block is written as it is; else the blocks leave parts in float, which
// are added in order.

/// Starts to copy the weights of a slice of an expert.
template <class Plan>
__device__ void copy_slice(const FusedMlp& p, int expert, int64_t slice, BackwardShared<Plan>& s) {
  using T = typename Plan::T;
  for (int part = 0; part < Plan::kIns; ++part)
    copy_matrix<Plan::kSlice, Plan::kWidth, kThreadCount>(in_of<T>(p, p.in, expert, part, slice),
                                                          p.channels, p.hidden - slice, p.channels,
                                                          s.in[part]);
  copy_matrix<Plan::kWidth, Plan::kSlice, kThreadCount>(out_of<T>(p, p.out, expert, slice),
                                                        p.hidden, p.width, p.hidden - slice, s.out);
  commit_copies();
}

/// Brings the rows of x and dy: first their tokens and entries, a tile later what those name.
/// kShare threads share a row.
template <class Plan>
class RowFeed {
  using T = typename Plan::T;
  static constexpr int kShare = kThreadCount / kRows;

 public:
  __device__ RowFeed(const FusedMlpBackward& back, BackwardShared<Plan>& shared)
      : back_(back), s_(shared) {}
  __device__ void copy_indices(const RowTile& tile, int buffer) const {
    const int row = static_cast<int>(threadIdx.x) % kRows, at = tile.begin + row;
    const bool live = at < tile.end;
    const int64_t from = live ? at : 0;
    if (threadIdx.x < kRows)
      copy_value(s_.token[buffer] + row, back_.forward.token_of + from, live);
    else if (threadIdx.x < 2 * kRows)
      copy_value(s_.entry[buffer] + row, back_.forward.entry + from, live);
  }
  /// Rows outside the tile become zeros.
  __device__ void copy_rows(const RowTile& tile, int buffer) const {
    const FusedMlp& p = back_.forward;
    const int row = static_cast<int>(threadIdx.x) / kShare;
    const bool live = tile.begin + row < tile.end;
    const int64_t token = s_.token[buffer][row];
    copy_row<Plan::kWidth, kShare>(static_cast<const T*>(p.x) + token * p.channels, row,
                                   live ? p.channels : 0, s_.x[buffer]);
    copy_row<Plan::kWidth, kShare>(static_cast<const T*>(back_.dy) + token * p.width, row,
                                   live ? p.width : 0, s_.dy[buffer]);
    if (threadIdx.x % kShare == 0)
      copy_value(s_.weight[buffer] + row, back_.weight + s_.entry[buffer][row], live);
  }

 private:
  const FusedMlpBackward& back_;
  BackwardShared<Plan>& s_;
};

template <class Plan>
__device__ void write_bias(const FusedMlpBackward& back, BackwardShared<Plan>& s, int expert,
                           bool whole, int64_t part, int64_t slice) {
  using T = typename Plan::T;
  const FusedMlp& p = back.forward;
  const int64_t in_rows = Plan::kIns * p.hidden;
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

/// Writes what a block has summed for an expert, as it is or as a part, and starts again from zero.
template <class Plan>
__device__ void flush(const FusedMlpBackward& back, BackwardShared<Plan>& s, int expert,
                      GradientBlocks<Plan>& blocks) {
  using T = typename Plan::T;
  const FusedMlp& p = back.forward;
  const bool whole = s.share.has(s.tile_end, expert);
  const int64_t slice = blockIdx.y * Plan::kSlice, part = blockIdx.x + expert;
  const int64_t in = Plan::kIns * p.hidden * p.channels, out = p.width * p.hidden;
  if (whole)
    blocks.write(p, s, slice, static_cast<T*>(back.d_in) + expert * in,
                 static_cast<T*>(back.d_out) + expert * out);
  else
    blocks.write(p, s, slice, back.in_parts + part * in, back.out_parts + part * out);
  if (p.in_bias) write_bias(back, s, expert, whole, part, slice);
  blocks.clear();
}

/// The tile of a step of a block; one without rows after the last.
__device__ inline RowTile step_tile(const FusedMlp& p, const int* tile_end, const TileShare& share,
                                    int step) {
  const int index = share.first + step;
  return index < share.last ? tile_at(p, kRows, tile_end, index) : RowTile{-1, 0, 0};
}

template <class Plan>
__global__ __launch_bounds__(kThreadCount, 1) void backward(FusedMlpBackward back) {
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<BackwardShared<Plan>*>(bytes);
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice;
  wait_for_previous();
  let_next_start();
  for (int i = threadIdx.x; i < Plan::kIns * 4 * Plan::kSlice; i += kThreadCount)
    s.bias[0][0][i] = 0;
  count_tiles(p, kRows, s.tile_end);
  if (threadIdx.x < 3) {
    const TileShare share(p, s.tile_end, blockIdx.x, gridDim.x);
    if (threadIdx.x == 0) s.share = share;
    s.tile[threadIdx.x] = step_tile(p, s.tile_end, share, static_cast<int>(threadIdx.x));
  }
  __syncthreads();
  if (s.share.first == s.share.last) return;
  RowFeed<Plan> feed(back, s);
  feed.copy_indices(s.tile[0], 0);
  feed.copy_indices(s.tile[1], 1);
  commit_copies();
  copy_slice(p, s.tile[0].expert, slice, s);
  GradientBlocks<Plan> blocks{group_index()};
  blocks.clear();
  wait_copies<1>();
  __syncthreads();
  feed.copy_rows(s.tile[0], 0);
  commit_copies();
  for (int step = 0; step < s.share.last - s.share.first; ++step) {
    const int buffer = step % 2;
    wait_copies<0>();
    publish_operands();
    __syncthreads();
    feed.copy_rows(s.tile[(step + 1) % 4], buffer ^ 1);
    feed.copy_indices(s.tile[(step + 2) % 4], buffer);
    commit_copies();
    if (threadIdx.x == 0) s.tile[(step + 3) % 4] = step_tile(p, s.tile_end, s.share, step + 3);
    hidden_gradients(p, s, s.tile[step % 4].expert, slice, buffer, blocks.group);
    publish_operands();
    __syncthreads();
    InputGradient<Plan> dx{blocks.group};
    dx.start(s);
    blocks.start(s, buffer);
    wait_products<1>();
    const RowTile tile = s.tile[step % 4];
    dx.write(back, s, tile);
    weight_products<Plan>(back, s, tile);
    wait_products<0>();
    const int next = s.tile[(step + 1) % 4].expert;
    if (next == tile.expert) continue;
    __syncthreads();
    if (next >= 0) copy_slice(p, next, slice, s);
    flush(back, s, tile.expert, blocks);
  }
  wait_copies<0>();
}

}  // namespace

FusedGrid fused_grid_cuda(const FusedMlp& p) {
  return tile_grid(p, fused_slice(padded_width(p), p.gated), kRows, 1);
}

void fused_mlp_backward_cuda(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    using Plan = BackwardPlan<T, kWidth, kGated>;
    constexpr size_t kBytes = sizeof(BackwardShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(backward<Plan>, kBytes);
    const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.slices));
    if (p.entries > 0) launch_early(backward<Plan>, blocks, kThreadCount, kBytes, stream, back);
  });
  fused_mlp_finish(back, grid, stream);
}

}  // namespace switchyard::kernels
