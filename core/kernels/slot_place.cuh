#pragma once
// Counting sort of entries by slot. A block owns SlotSort::chunk entries; its counts per slot lie
// in SlotSort::count. Placing needs no second pass over the counts: every block sums those of the
// blocks before it. Integer sums only: the same result on every run.

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

constexpr int kSortThreads = 1024;

static __global__ void __launch_bounds__(kSortThreads) count_entries(SlotSort p) {
  extern __shared__ int32_t count[];
  for (int64_t e = threadIdx.x; e < p.slots; e += blockDim.x) count[e] = 0;
  __syncthreads();
  const int64_t begin = blockIdx.x * p.chunk, end = min(begin + p.chunk, p.entries);
  for (int64_t a = begin + threadIdx.x; a < end; a += blockDim.x)
    atomicAdd(count + p.slot_of[a], 1);
  __syncthreads();
  for (int64_t e = threadIdx.x; e < p.slots; e += blockDim.x)
    p.count[blockIdx.x * p.slots + e] = count[e];
}

/// Sum of n over the lanes up to this one.
__device__ inline int warp_prefix(int n) {
  const int lane = threadIdx.x % 32;
  for (int step = 1; step < 32; step *= 2) {
    const int left = __shfl_up_sync(kFullWarp, n, step);
    if (lane >= step) n += left;
  }
  return n;
}

/// total[e]: entries of slot e; before[e]: those of them in blocks before this one.
__device__ inline void sum_counts(const SlotSort& p, int chunks, int32_t* before, int32_t* total) {
  const int slots = static_cast<int>(p.slots), threads = static_cast<int>(blockDim.x);
#pragma unroll 1
  for (int e = threadIdx.x; e < slots; e += threads) before[e] = total[e] = 0;
  __syncthreads();
  int width = 1;
  while (width < slots && width < threads) width *= 2;
  const int part = threadIdx.x / width, parts = threads / width;
#pragma unroll 1
  for (int e = threadIdx.x % width; e < slots; e += width) {
    int32_t sum = 0, mine = 0;
#pragma unroll 8
    for (int c = part; c < chunks; c += parts) {
      const int32_t n = p.count[c * p.slots + e];
      sum += n;
      mine += c < static_cast<int>(blockIdx.x) ? n : 0;
    }
    atomicAdd(total + e, sum);
    atomicAdd(before + e, mine);
  }
  __syncthreads();
}

/// before[e] += rows of all slots below e. Block 0 writes slot_offset. One warp: a lane takes
/// neighbouring slots.
__device__ inline void scan_totals(const SlotSort& p, int32_t* before, const int32_t* total) {
  const int slots = static_cast<int>(p.slots), each = (slots + 31) / 32;
  const int first = threadIdx.x * each, end = min(first + each, slots);
  int own = 0;
#pragma unroll 1
  for (int e = first; e < end; ++e) own += total[e];
  int row = warp_prefix(own) - own;
#pragma unroll 1
  for (int e = first; e < end; ++e) {
    before[e] += row;
    if (blockIdx.x == 0) p.slot_offset[e] = row;
    row += total[e];
  }
  if (blockIdx.x == 0 && threadIdx.x == 31) p.slot_offset[slots] = row;
}

/// The last i with offset[i] <= value, of n.
__device__ inline int64_t last_up_to(const int64_t* offset, int64_t n, int64_t value) {
  int64_t low = 0, high = n;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (offset[middle] <= value ? low : high) = middle;
  }
  return low;
}
__device__ inline int64_t token_of_entry(const SlotSort& p, int64_t a) {
  return p.k > 0 ? static_cast<uint32_t>(a) / static_cast<uint32_t>(p.k)
                 : last_up_to(p.token_offset, p.tokens, a);
}

/// Entries of one round: bit i of bits[w stride + e] says that entry 32 w + i has slot e; `row`
/// holds the row of the first such entry. An odd stride: no bank conflicts either way.
struct Round {
  int slots, stride, words;
  int32_t* row;
  uint32_t* bits;
};

/// next[e]: the next row of slot e, before and after. A warp per slot.
__device__ inline void number_rows(const Round& r, int32_t* next) {
  const int lane = threadIdx.x % 32;
#pragma unroll 1
  for (int e = threadIdx.x / 32; e < r.slots; e += blockDim.x / 32) {
    int32_t start = __shfl_sync(kFullWarp, lane == 0 ? next[e] : 0, 0);
#pragma unroll 1
    for (int first = 0; first < r.words; first += 32) {
      const int w = first + lane;
      const int n = w < r.words ? __popc(r.bits[w * r.stride + e]) : 0;
      const int sum = warp_prefix(n);
      if (w < r.words) r.row[w * r.stride + e] = start + sum - n;
      start += __shfl_sync(kFullWarp, sum, 31);
    }
    if (lane == 0) next[e] = start;
  }
}

/// How a block places its chunk. Shared memory: next [slots], row and bits [words, stride].
struct Placing {
  int chunks, stride, words;
  size_t bytes;

  /// As many words as fit in shared memory.
  explicit Placing(const SlotSort& p)
      : chunks(static_cast<int>(slot_sort_chunks(p))), stride(static_cast<int>(p.slots | 1)) {
    constexpr int64_t kCells = 8192;
    words = static_cast<int>(
        std::min<int64_t>(std::max<int64_t>(kCells / stride, 1), (p.chunk + 31) / 32));
    bytes = static_cast<size_t>(p.slots + 2 * words * stride) * sizeof(int32_t);
  }
  unsigned blocks() const { return chunks > 0 ? chunks : 1; }
};

/// One round: `count` entries from `first` on.
__device__ inline void place_round(const SlotSort& p, const Round& r, int64_t first, int count,
                                   int32_t* next) {
  const int64_t* slot_of = p.slot_of + first;
  const int threads = static_cast<int>(blockDim.x);
#pragma unroll 1
  for (int i = threadIdx.x; i < r.words * r.stride; i += threads) r.bits[i] = 0;
  __syncthreads();
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += threads)
    atomicOr(r.bits + i / 32 * r.stride + slot_of[i], 1u << i % 32);
  __syncthreads();
  number_rows(r, next);
  __syncthreads();
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += threads) {
    const int cell = i / 32 * r.stride + static_cast<int>(slot_of[i]);
    const int64_t row = r.row[cell] + __popc(r.bits[cell] & ((1u << i % 32) - 1));
    p.token_of[row] = token_of_entry(p, first + i);
    p.position[first + i] = row;
    p.entry[row] = first + i;
  }
  __syncthreads();
}

/// The work of a block once the counts of all blocks are written.
__device__ inline void place_chunk(const SlotSort& p, const Placing& placing, int32_t* shared) {
  const int cells = placing.words * placing.stride;
  const Round r{static_cast<int>(p.slots), placing.stride, placing.words, shared + p.slots,
                reinterpret_cast<uint32_t*>(shared + p.slots + cells)};
  sum_counts(p, placing.chunks, shared, r.row);
  if (threadIdx.x < 32) scan_totals(p, shared, r.row);
  const int64_t begin = blockIdx.x * p.chunk, stop = min(begin + p.chunk, p.entries);
#pragma unroll 1
  for (int64_t first = begin; first < stop; first += 32 * r.words)
    place_round(p, r, first, static_cast<int>(min(stop - first, int64_t{32} * r.words)), shared);
}

static __global__ void __launch_bounds__(kSortThreads) place_entries(SlotSort p, Placing placing) {
  extern __shared__ int32_t shared[];
  place_chunk(p, placing, shared);
}

}  // namespace switchyard::kernels
