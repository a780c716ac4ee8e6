#pragma once
// How the forward pass of the fused experts divides its work: a warpgroup works on 64 rows of one
// expert and walks the hidden axis in chunks of 64, whose weights all stay in shared memory where
// they fit, or come in turn to two places there. Where rows are few, two warpgroups share the same
// rows and have half of each chunk.

#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {

constexpr int kChunk = 64;

/// kShared: two warpgroups have the same rows. kResident: all chunks fit.
template <class T_, int kWidth_, bool kGated_, int kGroups_, bool kShared_, bool kResident_>
struct ForwardPlan {
  using T = T_;
  static constexpr int kWidth = kWidth_, kGroups = kGroups_, kIns = kGated_ ? 2 : 1;
  static constexpr bool kGated = kGated_, kShared = kShared_, kResident = kResident_;
  static constexpr int kThreadCount = 128 * kGroups, kTiles = kShared ? 1 : kGroups;
  static constexpr int kRows = 64 * kTiles, kAcross = kWidth / kPanel;
  static constexpr int kUnits = kChunk / kUnit / (kShared ? kGroups : 1);  // of a warpgroup
  static constexpr int kTile = 64 * kWidth, kStage = (kIns + 1) * kChunk * kWidth;
  static constexpr int kBuffers = kWidth == 256 ? 1 : 2;  // tiles of a warpgroup
  static constexpr int kFixed = kMostSlots * static_cast<int>(sizeof(int)) +
                                kThreadCount / 32 * static_cast<int>(sizeof(RowScratch<T>)) +
                                kBuffers * kTiles * kTile * static_cast<int>(sizeof(T));
  static constexpr int kFit =
      (static_cast<int>(kSharedPerBlock) - kFixed) / (kStage * static_cast<int>(sizeof(T)));
  static constexpr int kStages = kFit < 8 ? kFit : 8;
  static_assert(kStages >= 2);

  /// Of rows that two warpgroups share: the one that writes a panel of the result.
  static constexpr unsigned owner(unsigned panel) { return panel / ((kAcross + 1) / 2); }
};

template <class Plan>
struct alignas(1024) ForwardShared {
  using T = typename Plan::T;
  T stage[Plan::kStages][Plan::kStage];  // [parts, 64, width] and [width, 64]
  T x[Plan::kBuffers][Plan::kTiles][Plan::kTile];
  RowScratch<T> scratch[Plan::kThreadCount / 32];
  int tile_end[kMostSlots];
};

/// The weights of an expert's chunks.
template <class Plan>
class ChunkRing {
  using T = typename Plan::T;

 public:
  int chunks;

  /// `tile`: the first.
  __device__ ChunkRing(const FusedMlp& p, ForwardShared<Plan>& s, const RowTile& tile)
      : chunks(static_cast<int>((p.hidden + kChunk - 1) / kChunk)), p_(p), s_(s) {
    for (int c = 0; !Plan::kResident && c < 2; ++c) start(tile, c);
  }
  /// Before the chunks of a tile.
  __device__ void enter(int expert) {
    if (!Plan::kResident || expert == expert_) return;
    __syncthreads();
    for (int c = 0; c < chunks; ++c) copy(expert, c, s_.stage[c]);
    commit_copies();
    wait_copies<0>();
    publish_operands();
    __syncthreads();
    expert_ = expert;
  }
  /// The weights of the next chunk of the tile, ready to be read.
  __device__ const T* open(int c) const {
    if constexpr (Plan::kResident) return s_.stage[c];
    wait_copies<1>();
    publish_operands();
    __syncthreads();
    return s_.stage[step_ % 2];
  }
  /// After the last use of chunk c of a tile, which `next` follows.
  __device__ void close(int c, const RowTile& tile, const RowTile& next) {
    if constexpr (Plan::kResident) return;
    wait_products<0>();
    __syncthreads();
    const bool same = c + 2 < chunks;
    start(same ? tile : next, same ? c + 2 : c + 2 - chunks);
  }

 private:
  /// Brings chunk c of a tile to the place of the next step but one.
  __device__ void start(const RowTile& tile, int c) {
    if (tile.begin < tile.end) copy(tile.expert, c, s_.stage[step_ % 2]);
    commit_copies();
    ++step_;
  }
  __device__ void copy(int expert, int c, T* stage) const {
    const int first = c * kChunk;
    for (int part = 0; part < Plan::kIns; ++part)
      copy_matrix<kChunk, Plan::kWidth, Plan::kThreadCount>(
          in_of<T>(p_, p_.in, expert, part, first), p_.channels, p_.hidden - first, p_.channels,
          stage + part * kChunk * Plan::kWidth);
    copy_matrix<Plan::kWidth, kChunk, Plan::kThreadCount>(
        out_of<T>(p_, p_.out, expert, first), p_.hidden, p_.width, p_.hidden - first,
        stage + Plan::kIns * kChunk * Plan::kWidth);
  }

  const FusedMlp& p_;
  ForwardShared<Plan>& s_;
  int step_ = 0, expert_ = -1;
};

}  // namespace switchyard::kernels
