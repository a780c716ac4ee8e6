#include "core/kernels/fused_chunks.cuh"

namespace switchyard::kernels {
namespace {

/// Brings rows of x: the threads of a tile share its rows evenly, whose tokens are read ahead.
template <class Plan>
class TokenFeed {
  using T = typename Plan::T;
  static constexpr int kShare = Plan::kThreadCount / Plan::kRows;

 public:
  __device__ TokenFeed(const FusedMlp& p, ForwardShared<Plan>& s)
      : p_(p), s_(s), row_(threadIdx.x / kShare) {}
  __device__ void read_indices(const RowTile& tile) {
    live_ = tile.begin + row_ < tile.end;
    if (live_) token_ = p_.token_of[tile.begin + row_];
  }
  __device__ void start_copy(int buffer) const {
    copy_row<Plan::kWidth, kShare>(static_cast<const T*>(p_.x) + token_ * p_.channels, row_ % 64,
                                   live_ ? p_.channels : 0, s_.x[buffer][row_ / 64]);
    commit_copies();
  }

 private:
  const FusedMlp& p_;
  ForwardShared<Plan>& s_;
  int row_;
  bool live_ = false;
  int64_t token_ = 0;
};

/// act(z), or act(gate) * up, of 64 rows at 32 hidden units, by a warpgroup.
template <class Plan>
struct ActiveUnit {
  using T = typename Plan::T;
  float z[4][4], up[4][4];
  uint32_t a[2][4];  // [64, 16] each, as left factors

  /// Starts the products with unit `unit` of a chunk.
  __device__ void start(const T* x, const T* stage, unsigned unit) {
    begin_products();
#pragma unroll
    for (int i = 0; i < Plan::kAcross; ++i) {
      const Along rows(x + i * kBlockSize);
      const T* in = stage + i * kBlockSize + unit * kUnit * kPanel;
      multiply<T>(z, rows, Along(in), i > 0);
      if constexpr (Plan::kGated) multiply<T>(up, rows, Along(in + kChunk * Plan::kWidth), i > 0);
    }
    commit_products();
  }
  __device__ void finish(const FusedMlp& p, int expert, int64_t first) {
    if (p.in_bias) {
      add_to_rows(bias_at<T>(p, expert, 0, first), p.hidden - first, z);
      if constexpr (Plan::kGated)
        add_to_rows(bias_at<T>(p, expert, 1, first), p.hidden - first, up);
    }
    with_fast_act(p.act, [&](auto act) {
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          z[n][i] = fast_act<T, decltype(act)::value>(z[n][i]).value;
          if constexpr (Plan::kGated) z[n][i] *= up[n][i];
        }
    });
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 2; ++i)
        a[n / 2][n % 2 * 2 + i] = packed(T(), z[n][2 * i], z[n][2 * i + 1]);
  }
  /// Starts y [64, width] += a W2^T.
  __device__ void start_output(const T* stage, unsigned unit, bool add,
                               float (&y)[Plan::kAcross][8][4]) {
    const T* out = stage + Plan::kIns * kChunk * Plan::kWidth + unit * kUnit;
    begin_products();
#pragma unroll
    for (int i = 0; i < Plan::kAcross; ++i) {
      const Along right(out + i * kBlockSize);
#pragma unroll
      for (int k = 0; k < 2; ++k) multiply_step<T>(y[i], a[k], right.step(k), add || k > 0);
    }
    commit_products();
  }
};

/// Writes the sums of a warpgroup to the rows begin .. end - 1; of shared rows, its half.
template <class Plan>
__device__ void write_tile(const FusedMlp& p, ForwardShared<Plan>& s,
                           float (&y)[Plan::kAcross][8][4], int expert, int begin, int end) {
  using T = typename Plan::T;
  T* to = static_cast<T*>(p.rows) + (p.weight ? 0 : begin * p.width);
#pragma unroll
  for (unsigned i = 0; i < Plan::kAcross; ++i) {
    if (Plan::kShared && Plan::owner(i) != group_index()) continue;
    if (p.weight) weigh_rows<T>(p, expert, begin, end, p.width, i * kPanel, y[i]);
    write_sums(y[i], end - begin, p.width - i * kPanel, p.width, s.scratch[threadIdx.x / 32],
               to + i * kPanel, p.weight ? p.token_of + begin : nullptr);
  }
}

/// y [64, width] = the expert of the rows x, or the share of this warpgroup's units of every chunk.
template <class Plan>
__device__ void walk_chunks(const FusedMlp& p, ChunkRing<Plan>& ring, const typename Plan::T* x,
                            const RowTile& tile, const RowTile& next,
                            float (&y)[Plan::kAcross][8][4]) {
  const unsigned first = Plan::kShared ? group_index() : 0;
  for (int c = 0; c < ring.chunks; ++c) {
    const typename Plan::T* stage = ring.open(c);
#pragma unroll
    for (unsigned u = 0; u < Plan::kUnits; ++u) {
      ActiveUnit<Plan> unit;
      unit.start(x, stage, first + u);
      wait_products<0>();
      unit.finish(p, tile.expert, c * kChunk + (first + u) * kUnit);
      unit.start_output(stage, first + u, c + u > 0, y);
    }
    ring.close(c, tile, next);
  }
  wait_products<0>();
}

/// Adds the sums of two warpgroups: each gets the sums of its half of the columns.
template <class Plan>
__device__ void add_groups(float* shared, float (&y)[Plan::kAcross][8][4]) {
  const unsigned group = group_index(), thread = threadIdx.x % 128;
#pragma unroll
  for (unsigned odd = 0; odd < 2; ++odd) {
    __syncthreads();
#pragma unroll
    for (unsigned i = odd; i < Plan::kAcross; i += 2)
#pragma unroll
      for (unsigned j = 0; j < 32; ++j)
        if (Plan::owner(i) != group) shared[(i / 2 * 32 + j) * 128 + thread] = y[i][j / 4][j % 4];
    __syncthreads();
#pragma unroll
    for (unsigned i = odd; i < Plan::kAcross; i += 2)
#pragma unroll
      for (unsigned j = 0; j < 32; ++j)
        if (Plan::owner(i) == group) y[i][j / 4][j % 4] += shared[(i / 2 * 32 + j) * 128 + thread];
  }
  __syncthreads();
}

template <class Plan>
__global__ __launch_bounds__(Plan::kThreadCount, 1) void forward(FusedMlp p) {
  using T = typename Plan::T;
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<ForwardShared<Plan>*>(bytes);
  wait_for_previous();
  let_next_start();
  count_tiles(p, Plan::kRows, s.tile_end);
  const TileShare share(p, s.tile_end, blockIdx.x, gridDim.x);
  TileWalk walk(p, Plan::kRows, s.tile_end, share.first, share.last);
  TokenFeed<Plan> feed(p, s);
  const unsigned group = group_index(), place = Plan::kShared ? 0 : group;
  const auto sync_rows = [group] {
    if constexpr (Plan::kShared)
      __syncthreads();
    else
      sync_group(group);
  };
  RowTile tile = walk.next();
  feed.read_indices(tile);
  ChunkRing<Plan> ring(p, s, tile);
  RowTile next = walk.next();
  if (Plan::kBuffers == 2) {
    feed.start_copy(0);
    feed.read_indices(next);
  }
  for (int buffer = 0; tile.begin < tile.end; buffer ^= Plan::kBuffers - 1) {
    ring.enter(tile.expert);
    if (Plan::kBuffers == 1) {
      sync_rows();
      feed.start_copy(0);
      feed.read_indices(next);
    }
    wait_copies<0>();
    publish_operands();
    sync_rows();
    const RowTile ahead = walk.next();
    if (Plan::kBuffers == 2) {
      feed.start_copy(buffer ^ 1);
      feed.read_indices(ahead);
    }
    const int begin = tile.begin + static_cast<int>(place) * 64;
    if (begin < tile.end || Plan::kShared || !Plan::kResident) {
      float y[Plan::kAcross][8][4];
      walk_chunks(p, ring, s.x[buffer][place], tile, next, y);
      if constexpr (Plan::kShared) add_groups<Plan>(reinterpret_cast<float*>(s.x[buffer][0]), y);
      write_tile(p, s, y, tile.expert, begin, tile.end);
    }
    tile = next;
    next = ahead;
  }
  wait_copies<0>();
}

template <class Plan>
void run_plan(const FusedMlp& p, void* stream) {
  constexpr size_t kBytes = sizeof(ForwardShared<Plan>);
  static_assert(kBytes <= kSharedPerBlock);
  allow_shared(forward<Plan>, kBytes);
  const int64_t blocks = tile_blocks(p, Plan::kRows, 1);
  launch_early(forward<Plan>, dim3(static_cast<unsigned>(blocks)), Plan::kThreadCount, kBytes,
               stream, p);
}

template <class T, int kWidth, bool kGated, int kGroups, bool kShared>
void run_forward(const FusedMlp& p, void* stream) {
  using Resident = ForwardPlan<T, kWidth, kGated, kGroups, kShared, true>;
  if (p.hidden <= Resident::kStages * kChunk) return run_plan<Resident>(p, stream);
  run_plan<ForwardPlan<T, kWidth, kGated, kGroups, kShared, false>>(p, stream);
}

}  // namespace

bool fused_mlp_cuda_runs() { return device_attribute(cudaDevAttrComputeCapabilityMajor) == 9; }

void fused_mlp_cuda(const FusedMlp& p, void* stream) {
  if (p.entries == 0) return;
  with_fused(p, [&]<class T, int kWidth, bool kGated>() {
    constexpr int kGroups = kWidth == 64 && !kGated ? 4 : 2;
    if constexpr (kWidth > 64)
      if (p.entries < 256 * p.slots) return run_forward<T, kWidth, kGated, 2, true>(p, stream);
    run_forward<T, kWidth, kGated, kGroups, false>(p, stream);
  });
}

}  // namespace switchyard::kernels
