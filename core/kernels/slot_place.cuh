#pragma once
// Counting sort of entries by slot. A block owns SlotSort::chunk entries; its counts per slot lie
// in SlotSort::count. Placing needs no second pass over the counts: every block sums those of the
// blocks before it. Integer sums only: the same result on every run.

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

constexpr int kSortThreads = 1024;

/// Counts of this block, of slots 2 i and 2 i + 1 in halves of one word.
__device__ inline void write_counts(const SlotSort& p, const int32_t* count) {
  const int slots = static_cast<int>(p.slots), pairs = (slots + 1) / 2;
#pragma unroll 1
  for (int i = threadIdx.x; i < pairs; i += blockDim.x) {
    const int second = 2 * i + 1 < slots ? count[2 * i + 1] : 0;
    p.count[blockIdx.x * pairs + i] = static_cast<uint32_t>(count[2 * i] | second << 16);
  }
}

static __global__ void __launch_bounds__(kSortThreads) count_entries(SlotSort p) {
  extern __shared__ int32_t count[];
  for (int64_t e = threadIdx.x; e < p.slots; e += blockDim.x) count[e] = 0;
  __syncthreads();
  const int64_t begin = blockIdx.x * p.chunk, end = min(begin + p.chunk, p.entries);
  for (int64_t a = begin + threadIdx.x; a < end; a += blockDim.x)
    atomicAdd(count + p.slot_of[a], 1);
  __syncthreads();
  cudaTriggerProgrammaticLaunchCompletion();
  write_counts(p, count);
}

/// x[i] becomes the sum of those before it, x[n] that of all. One warp: a lane takes neighbours.
__device__ inline void scan(int32_t* x, int n) {
  const int lane = threadIdx.x % 32, each = (n + 31) / 32, first = min(lane * each, n),
            end = min(first + each, n);
  int sum = 0;
#pragma unroll 1
  for (int i = first; i < end; ++i) sum += x[i];
  int before = warp_prefix(sum) - sum;
#pragma unroll 1
  for (int i = first; i < end; ++i) {
    const int own = x[i];
    x[i] = before;
    before += own;
  }
  if (lane == 31) x[n] = before;
}

/// total[e]: entries of slot e; before[e]: those of them in blocks before this one.
__device__ inline void sum_counts(const SlotSort& p, int chunks, int32_t* before, int32_t* total) {
  const int slots = static_cast<int>(p.slots), threads = static_cast<int>(blockDim.x);
#pragma unroll 1
  for (int e = threadIdx.x; e < slots; e += threads) before[e] = total[e] = 0;
  __syncthreads();
  const int pairs = (slots + 1) / 2;
  int width = 1;
  while (width < pairs && width < threads) width *= 2;
  const int part = threadIdx.x / width, parts = threads / width;
#pragma unroll 1
  for (int i = threadIdx.x % width; i < pairs; i += width) {
    int32_t sum[2] = {}, mine[2] = {};
#pragma unroll 8
    for (int c = part; c < chunks; c += parts) {
      const uint32_t n = p.count[c * pairs + i], own = c < static_cast<int>(blockIdx.x) ? n : 0;
      sum[0] += n & 0xffff;
      sum[1] += n >> 16;
      mine[0] += own & 0xffff;
      mine[1] += own >> 16;
    }
#pragma unroll
    for (int half = 0; half < 2 && 2 * i + half < slots; ++half) {
      atomicAdd(total + 2 * i + half, sum[half]);
      atomicAdd(before + 2 * i + half, mine[half]);
    }
  }
  __syncthreads();
}

/// next[e]: the first row of slot e in this block. Block 0 writes slot_offset.
__device__ inline void first_rows(const SlotSort& p, int chunks, int32_t* next, int32_t* local) {
  const int slots = static_cast<int>(p.slots);
  sum_counts(p, chunks, next, local);
  if (threadIdx.x < 32) scan(local, slots);
  __syncthreads();
#pragma unroll 1
  for (int e = threadIdx.x; e <= slots; e += blockDim.x) {
    if (e < slots) next[e] += local[e];
    if (blockIdx.x == 0) p.slot_offset[e] = local[e];
  }
  __syncthreads();
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

/// Entries of one round, in shared memory. Item: an entry, or a token, whose entries have slots
/// that differ. Bit i of bits[w stride + e] says that item 32 w + i has slot e; `rank` counts the
/// items of the slot in words before. An odd stride: no bank conflicts either way.
struct Round {
  int slots, stride, words, group;
  int32_t *next, *local, *rank;
  uint32_t* bits;
  uint16_t* order;  // entries of the round by slot

  __device__ int cell(int i, int slot) const { return i / group / 32 * stride + slot; }
  __device__ uint32_t bit(int i) const { return 1u << i / group % 32; }
};

/// How a block places its chunk, and the shared memory for it.
struct Placing {
  int chunks, stride, words, group;
  size_t bytes;

  explicit Placing(const SlotSort& p)
      : chunks(static_cast<int>(slot_sort_chunks(p))),
        stride(static_cast<int>(p.slots | 1)),
        group(static_cast<int>(std::max<int64_t>(p.k, 1))) {
    constexpr int64_t kCells = 8192, kEntries = 8192;
    const int64_t all = (p.chunk / group + 31) / 32,
                  most = std::min(kCells / stride, kEntries / (32 * group));
    words = static_cast<int>(std::max<int64_t>(1, std::min(all, most)));
    bytes = static_cast<size_t>(2 * p.slots + 1 + 2 * words * stride) * sizeof(int32_t) +
            static_cast<size_t>(32 * words * group) * sizeof(uint16_t);
  }
  unsigned blocks() const { return chunks > 0 ? chunks : 1; }
  __device__ Round round(int slots, int32_t* shared) const {
    int32_t *local = shared + slots, *rank = local + slots + 1, *bits = rank + words * stride;
    return {slots,
            stride,
            words,
            group,
            shared,
            local,
            rank,
            reinterpret_cast<uint32_t*>(bits),
            reinterpret_cast<uint16_t*>(bits + words * stride)};
  }
};

/// Fills bits, rank and local: where the slots begin in `order`.
__device__ inline void rank_entries(const Round& r, const int64_t* slot_of, int count) {
  const int threads = static_cast<int>(blockDim.x);
#pragma unroll 1
  for (int i = threadIdx.x; i < r.words * r.stride; i += threads) r.bits[i] = 0;
  __syncthreads();
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += threads)
    atomicOr(r.bits + r.cell(i, static_cast<int>(slot_of[i])), r.bit(i));
  __syncthreads();
#pragma unroll 1
  for (int e = threadIdx.x; e < r.slots; e += threads) {
    int sum = 0;
#pragma unroll 4
    for (int w = 0; w < r.words; ++w) {
      r.rank[w * r.stride + e] = sum;
      sum += __popc(r.bits[w * r.stride + e]);
    }
    r.local[e] = sum;
  }
  __syncthreads();
  if (threadIdx.x < 32) scan(r.local, r.slots);
  __syncthreads();
}

/// One round: `count` entries from `first` on. Rows are written in their order.
__device__ inline void place_round(const SlotSort& p, const Round& r, int64_t first, int count) {
  const int64_t* slot_of = p.slot_of + first;
  const int threads = static_cast<int>(blockDim.x);
  rank_entries(r, slot_of, count);
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += threads) {
    const int e = static_cast<int>(slot_of[i]), c = r.cell(i, e);
    const int rank = r.rank[c] + __popc(r.bits[c] & (r.bit(i) - 1));
    r.order[r.local[e] + rank] = static_cast<uint16_t>(i);
    p.position[first + i] = r.next[e] + rank;
  }
  __syncthreads();
#pragma unroll 1
  for (int n = threadIdx.x; n < count; n += threads) {
    const int i = r.order[n], e = static_cast<int>(slot_of[i]);
    const int64_t row = r.next[e] + n - r.local[e];
    p.token_of[row] = token_of_entry(p, first + i);
    p.entry[row] = first + i;
  }
  __syncthreads();
#pragma unroll 1
  for (int e = threadIdx.x; e < r.slots; e += threads) r.next[e] += r.local[e + 1] - r.local[e];
  __syncthreads();
}

/// May start while the kernel before it on the stream ends: what it needs of that comes behind the
/// first line.
static __global__ void __launch_bounds__(kSortThreads) place_entries(SlotSort p, Placing placing) {
  wait_for_previous();
  let_next_start();
  extern __shared__ int32_t shared[];
  const Round r = placing.round(static_cast<int>(p.slots), shared);
  first_rows(p, placing.chunks, r.next, r.local);
  const int64_t begin = blockIdx.x * p.chunk, stop = min(begin + p.chunk, p.entries);
#pragma unroll 1
  for (int64_t first = begin; first < stop; first += 32 * r.words * r.group)
    place_round(p, r, first, static_cast<int>(min(stop - first, int64_t{32} * r.words * r.group)));
}

/// After the kernel that counts, which calls cudaTriggerProgrammaticLaunchCompletion() when it is
/// nearly done.
inline void place(const SlotSort& p, cudaStream_t stream) {
  const Placing placing(p);
  allow_shared(place_entries, placing.bytes);
  launch_early(place_entries, dim3(placing.blocks()), kSortThreads, placing.bytes, stream, p,
               placing);
}

}  // namespace switchyard::kernels
