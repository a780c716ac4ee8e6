#include "core/kernels/fused_linear.cuh"

namespace switchyard::kernels {
namespace {

/// Matrices as panels of 64 columns, one after the other.
template <class Plan>
struct alignas(1024) ForwardShared {
  using T = typename Plan::T;
  T weight[Plan::kWidth * Plan::kWidth];  // [outputs, channels]
  T x[2][kLinearRows * Plan::kWidth];     // of this tile and the next
  int tile_end[kMostSlots];
};

/// y [64, 64]: a warpgroup's columns of x W^T.
template <class Plan>
__device__ void multiply_rows(const ForwardShared<Plan>& s, int buffer, unsigned group,
                              float (&y)[8][4]) {
  using T = typename Plan::T;
  begin_products();
#pragma unroll
  for (int i = 0; i < Plan::kAcross; ++i) {
    const T* weight = s.weight + (i * Plan::kWidth + group * 64) * kPanel;
    multiply<T>(y, Along(s.x[buffer] + i * kBlockSize), Along(weight), i > 0);
  }
  commit_products();
  wait_products<0>();
}

template <class Plan>
constexpr int kResident = resident_blocks(Plan::kThreadCount, sizeof(ForwardShared<Plan>));

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount, kResident<Plan>) void forward(FusedMlp p) {
  using T = typename Plan::T;
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<ForwardShared<Plan>*>(bytes);
  count_tiles(p, kLinearRows, s.tile_end);
  const TileShare share(p, s.tile_end, blockIdx.x, gridDim.x);
  TileWalk walk(p, kLinearRows, s.tile_end, share.first, share.last);
  RowAhead<Plan> rows;
  const auto start_copy = [&](int buffer) {
    rows.template copy<Plan::kWidth>(p.x, p.channels, 0, p.channels, s.x[buffer]);
    commit_copies();
  };
  const unsigned group = group_index();
  RowTile tile = walk.next(), next = walk.next();
  rows.read(p, tile);
  start_copy(0);
  rows.read(p, next);
  int expert = -1;
  for (int buffer = 0; tile.begin < tile.end; buffer ^= 1) {
    if (tile.expert != expert) {
      expert = tile.expert;
      copy_matrix<Plan::kWidth, Plan::kWidth, Plan::kThreadCount>(
          in_of<T>(p, p.in, expert, 0, 0), p.channels, p.hidden, p.channels, s.weight);
      commit_copies();
    }
    wait_copies<0>();
    publish_operands();
    __syncthreads();
    start_copy(buffer ^ 1);
    const RowTile ahead = walk.next();
    rows.read(p, ahead);
    float y[8][4];
    multiply_rows(s, buffer, group, y);
    if (p.weight) weigh_rows<T>(p, expert, tile.begin, tile.end, p.hidden, group * kPanel, y);
    __syncthreads();
    T* panel = s.x[buffer] + group * kBlockSize;
    store_sums(y, 0, panel);
    sync_group(group);
    write_panel(panel, group, tile, p.hidden, p.weight ? p.token_of : nullptr,
                static_cast<T*>(p.rows));
    tile = next;
    next = ahead;
  }
  wait_copies<0>();
}

}  // namespace

void fused_linear_cuda(const FusedMlp& p, void* stream) {
  if (p.entries == 0) return;
  with_linear(p, [&]<class Plan>() {
    constexpr size_t kBytes = sizeof(ForwardShared<Plan>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(forward<Plan>, kBytes);
    const int64_t blocks = tile_blocks(p, kLinearRows, kResident<Plan>);
    forward<Plan><<<static_cast<unsigned>(blocks), Plan::kThreadCount, kBytes,
                    static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
