#include "core/kernels/fused_linear_gradient.cuh"

namespace switchyard::kernels {
namespace {

// A block also has a slice of the outputs, whose weights lie in shared memory. Per tile it
// computes weight dy W, the slice's share of the rows of dx, and adds to the slice
// of dW, which stays in registers over all tiles of an expert. The gradient of an expert that lies
// in one block is written as it is; else the blocks leave parts in float, which are added in order.

/// The slice's share of the gradients of the weights of a tile's rows.
template <class Plan>
__device__ void write_dots(const FusedMlpBackward& back, const LinearShared<Plan>& s,
                           const RowTile& tile) {
  const int row = static_cast<int>(threadIdx.x);
  if (row >= tile.end - tile.begin) return;
  float sum = back.forward.in_bias ? s.bias_dot[row] : 0.f;
#pragma unroll
  for (int i = 0; i < Plan::kGroups; ++i) sum += s.dot[i][row];
  back.dot[blockIdx.y * back.forward.entries + tile.begin + row] = sum;
}

/// Writes a warpgroup's panel of the slice's share of dx.
template <class T>
__device__ void write_dx(const FusedMlpBackward& back, const T* panel, unsigned group,
                         const RowTile& tile) {
  const FusedMlp& p = back.forward;
  T* rows = static_cast<T*>(const_cast<void*>(back.dx.rows));
  if (rows)
    write_panel<T>(panel, group, tile, p.channels, nullptr,
                   rows + blockIdx.y * p.entries * p.channels);
  else
    write_panel<T>(panel, group, tile, p.channels, p.token_of, static_cast<T*>(back.dx.out));
}

/// Writes what a block has summed for an expert. All products are done.
template <class Plan>
__device__ void flush(const FusedMlpBackward& back, LinearShared<Plan>& s, int expert, bool whole,
                      int64_t slice, LinearGradient<Plan>& dw, LinearScale<Plan>& bias) {
  using T = typename Plan::T;
  const FusedMlp& p = back.forward;
  const int64_t part = blockIdx.x + expert, left = p.hidden - slice;
  auto& scratch = reinterpret_cast<RowScratch<T>*>(s.dx)[threadIdx.x / 32];
  __syncthreads();
  if (whole)
    dw.flush(left, p.channels, scratch, const_cast<T*>(in_of<T>(p, back.d_in, expert, 0, slice)));
  else
    dw.flush(left, p.channels, scratch, back.in_parts + (part * p.hidden + slice) * p.channels);
  if (!p.in_bias) return;
  __syncthreads();
  bias.flush(s.dx, left, back.in_bias_parts + part * p.hidden + slice,
             whole ? static_cast<T*>(back.d_in_bias) + expert * p.hidden + slice : nullptr);
}

template <class Plan>
constexpr int kResident = resident_blocks(Plan::kThreadCount, sizeof(LinearShared<Plan>));

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount,
                             kResident<Plan>) void backward(FusedMlpBackward back) {
  using T = typename Plan::T;
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<LinearShared<Plan>*>(bytes);
  const FusedMlp& p = back.forward;
  const int64_t slice = blockIdx.y * Plan::kSlice;
  count_tiles(p, kLinearRows, s.tile_end);
  const TileShare share(p, s.tile_end, blockIdx.x, gridDim.x);
  TileWalk walk(p, kLinearRows, s.tile_end, share.first, share.last);
  LinearFeed<Plan> feed(back, s, slice);
  LinearGradient<Plan> dw{group_index()};
  LinearScale<Plan> scale;
  RowTile tile = walk.next(), next = walk.next();
  feed.read_indices(tile);
  feed.start_copy(0);
  feed.store_weight(0);
  feed.read_indices(next);
  int expert = -1;
  for (int buffer = 0; tile.begin < tile.end; buffer ^= 1) {
    if (tile.expert != expert) {
      expert = tile.expert;
      copy_matrix<Plan::kSlice, Plan::kWidth, Plan::kThreadCount>(
          in_of<T>(p, p.in, expert, 0, slice), p.channels, p.hidden - slice, p.channels, s.weight);
      commit_copies();
    }
    wait_copies<0>();
    publish_operands();
    __syncthreads();
    feed.start_copy(buffer ^ 1);
    const RowTile ahead = walk.next();
    feed.read_indices(ahead);
    LinearInput<Plan> dx{dw.group};
    dx.start(s, buffer);
    wait_products<0>();
    dx.dot(s, buffer);
    T* panel = s.dx + dw.group * kBlockSize;
    dx.weigh(s, buffer);
    store_sums(dx.sum, 0, panel);
    __syncthreads();
    scale.run(p, s, expert, slice, buffer);
    publish_operands();
    __syncthreads();
    dw.start(s, buffer);
    write_dx(back, panel, dw.group, tile);
    write_dots<Plan>(back, s, tile);
    feed.store_weight(buffer ^ 1);
    wait_products<0>();
    const bool last = next.begin == next.end;
    if (last || next.expert != expert)
      flush(back, s, expert, share.has(s.tile_end, expert), slice, dw, scale);
    tile = next;
    next = ahead;
  }
  wait_copies<0>();
}

}  // namespace

FusedGrid fused_linear_grid_cuda(const FusedMlp& p) {
  FusedGrid grid{};
  with_linear(
      p, [&]<class Plan>() { grid = tile_grid(p, Plan::kSlice, kLinearRows, kResident<Plan>); });
  return grid;
}

void fused_linear_backward_cuda(const FusedMlpBackward& back, const FusedGrid& grid, void* stream) {
  const FusedMlp& p = back.forward;
  with_linear(p, [&]<class Plan>() {
    constexpr size_t kBytes = sizeof(LinearShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(backward<Plan>, kBytes);
    const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.slices));
    if (p.entries > 0)
      backward<Plan>
          <<<blocks, Plan::kThreadCount, kBytes, static_cast<cudaStream_t>(stream)>>>(back);
  });
  fused_mlp_finish(back, grid, stream);
}

}  // namespace switchyard::kernels
