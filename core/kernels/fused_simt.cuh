#pragma once
// What the float kernels of the experts share: products of matrices in shared memory by the plain
// arithmetic units of a block of kThreads threads, every product a fused multiply-add in float, and
// the moves between memory and such matrices. Rows lie 4 values more than their width apart, so
// that reads of a column of vectors meet all banks.

#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {

constexpr int padded(int width) { return width + 4; }

/// Four values, 16 bytes.
using Four = Pack<float, 4>;
__device__ inline Four four_at(const float* p) { return *reinterpret_cast<const Four*>(p); }

/// A factor of a product: item i at step k is [i * stride + k], or, kDown, [k * stride + i].
template <bool kDown_>
struct Matrix {
  static constexpr bool kDown = kDown_;
  const float* at;
  int stride;

  /// Which item a thread's i-th is: `thread` of `threads` share the items.
  __device__ static int item(int i, int thread, int threads) {
    return kDown ? (i / 4 * threads + thread) * 4 + i % 4 : i * threads + thread;
  }
  /// Four values of a thread from step k on: value j of the i-th four is that of item first(i, j)
  /// at step k + step(i, j).
  __device__ Four read(int i, int k, int thread, int threads) const {
    return four_at(kDown ? at + (k + i % 4) * stride + item(i / 4 * 4, thread, threads)
                         : at + item(i, thread, threads) * stride + k);
  }
  __device__ static constexpr int first(int i, int j) { return kDown ? i / 4 * 4 + j : i; }
  __device__ static constexpr int step(int i, int j) { return kDown ? i % 4 : j; }
};
using AlongRows = Matrix<false>;
using DownColumns = Matrix<true>;

/// Sums [kM, kN] of products Left Right^T of a block: a thread has kTall x kWide of them.
template <int kM, int kN, int kTall_, class Left, class Right>
struct BlockSum {
  static constexpr int kTall = kTall_, kDown = kM / kTall, kAcross = kThreads / kDown,
                       kWide = kN / kAcross;
  static_assert(kDown * kTall == kM && kAcross * kWide == kN);
  static_assert((!Left::kDown || kTall % 4 == 0) && (!Right::kDown || kWide % 4 == 0));
  float sum[kTall][kWide];

  __device__ static int x() { return threadIdx.x % kAcross; }
  __device__ static int y() { return threadIdx.x / kAcross; }
  __device__ static int row(int i) { return Left::item(i, y(), kDown); }
  __device__ static int column(int j) { return Right::item(j, x(), kAcross); }

  __device__ void clear() {
#pragma unroll
    for (int i = 0; i < kTall * kWide; ++i) sum[i / kWide][i % kWide] = 0;
  }
  __device__ void add(const Left& left, const Right& right, int depth) {
#pragma unroll 1
    for (int k = 0; k < depth; k += 4) {
      float a[kTall][4];
#pragma unroll
      for (int i = 0; i < kTall; ++i) {
        const Four values = left.read(i, k, y(), kDown);
#pragma unroll
        for (int j = 0; j < 4; ++j) a[Left::first(i, j)][Left::step(i, j)] = values.v[j];
      }
#pragma unroll
      for (int n = 0; n < kWide; ++n) {
        const Four values = right.read(n, k, x(), kAcross);
#pragma unroll
        for (int j = 0; j < 4; ++j)
#pragma unroll
          for (int i = 0; i < kTall; ++i) {
            float& to = sum[i][Right::first(n, j)];
            to = fmaf(a[i][Right::step(n, j)], values.v[j], to);
          }
      }
    }
  }
  /// Puts the values into a matrix of rows `stride` values apart.
  __device__ void store(int stride, float* to) const {
#pragma unroll
    for (int i = 0; i < kTall; ++i)
#pragma unroll
      for (int j = 0; j < kWide; ++j) to[row(i) * stride + column(j)] = sum[i][j];
  }
  /// Writes the values inside [rows, columns] to `to`, whose rows lie `stride` values apart.
  __device__ void write(int64_t rows, int64_t columns, int64_t stride, float* to) const {
#pragma unroll
    for (int i = 0; i < kTall; ++i) {
      float* line = to + row(i) * stride;
      const int left = row(i) < rows ? static_cast<int>(columns) : 0;
#pragma unroll
      for (int j = 0; j < kWide; ++j)
        if (column(j) < left) line[column(j)] = sum[i][j];
    }
  }
};

/// Calls work(tile, of a new expert) for every tile of kRowCount rows of this block, and after the
/// last of an expert flush(expert, whether the block has all of them).
template <int kRowCount, class Work, class Flush>
__device__ void walk_tiles(const FusedMlp& p, int* tile_end, Work&& work, Flush&& flush) {
  count_tiles(p, kRowCount, tile_end);
  const TileShare share(p, tile_end, blockIdx.x, gridDim.x);
  TileWalk walk(p, kRowCount, tile_end, share.first, share.last);
  int expert = -1;
  for (RowTile tile = walk.next(); tile.begin < tile.end;) {
    work(tile, tile.expert != expert);
    expert = tile.expert;
    tile = walk.next();
    if (tile.begin == tile.end || tile.expert != expert) flush(expert, share.has(tile_end, expert));
  }
}
template <int kRowCount, class Work>
__device__ void walk_tiles(const FusedMlp& p, int* tile_end, Work&& work) {
  walk_tiles<kRowCount>(
      p, tile_end, [&](const RowTile& tile, bool) { work(tile); }, [](int, bool) {});
}

/// Starts to copy columns first .. of the tile's rows of x or dy, [T, columns], zeros outside.
template <int kRowCount, int kWidth>
__device__ void copy_tokens(const FusedMlp& p, const RowTile& tile, const void* from,
                            int64_t columns, int64_t first, float* to) {
  constexpr int kShare = kThreads / kRowCount;
  const int row = threadIdx.x / kShare;
  const bool live = tile.begin + row < tile.end;
  const float* line =
      static_cast<const float*>(from) + first + (live ? p.token_of[tile.begin + row] : 0) * columns;
#pragma unroll 2
  for (int c = threadIdx.x % kShare * 4; c < kWidth; c += kShare * 4) {
    const bool valid = live && first + c < columns;
    copy_async(to + row * padded(kWidth) + c, valid ? line + c : from, valid);
  }
}
/// Starts to copy a matrix [kRowCount, kWidth], zeros outside [rows, columns].
template <int kRowCount, int kWidth>
__device__ void copy_block(const float* from, int64_t stride, int64_t rows, int64_t columns,
                           float* to) {
#pragma unroll 2
  for (int i = threadIdx.x; i < kRowCount * kWidth / 4; i += kThreads) {
    const int row = i / (kWidth / 4), c = i % (kWidth / 4) * 4;
    const bool valid = row < rows && c < columns;
    copy_async(to + row * padded(kWidth) + c, from + (valid ? row * stride + c : 0), valid);
  }
}
/// Copies its transpose [kWidth, kRowCount].
template <int kRowCount, int kWidth>
__device__ void copy_turned(const float* from, int64_t stride, int64_t rows, int64_t columns,
                            float* to) {
  for (int i = threadIdx.x; i < kRowCount * kWidth / 4; i += kThreads) {
    const int row = i % kRowCount, c = i / kRowCount * 4;
    Four values{};
    if (row < rows && c < columns) values = four_at(from + row * stride + c);
#pragma unroll
    for (int j = 0; j < 4; ++j) to[(c + j) * padded(kRowCount) + row] = values.v[j];
  }
}

/// The bias of a hidden unit, or 0.
__device__ inline float bias_of(const FusedMlp& p, int expert, int part, int64_t h) {
  return p.in_bias && h < p.hidden ? *bias_at<float>(p, expert, part, h) : 0.f;
}

}  // namespace switchyard::kernels
