#pragma once
// Counting sort of entries by slot. A block owns SlotSort::chunk entries; its counts per slot lie
// in SlotSort::count. Placing needs no second pass over the counts: every block sums those of the
// blocks before it. Integer sums only: the same result on every run. Instructions bound it: so
// no divisions, and 64 bits only where memory has them.

#include <cuda_pipeline.h>

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

constexpr int kSortThreads = 1024;

/// Counts of this block, of slots 2 i and 2 i + 1 in halves of one word.
__device__ inline void write_counts(const SlotSort& p, const int32_t* count) {
  const int slots = static_cast<int>(p.slots), pairs = (slots + 1) / 2;
#pragma unroll 1
  for (int i = threadIdx.x; i < pairs; i += blockDim.x) {
    const int second = 2 * i + 1 < slots ? count[2 * i + 1] : 0;
    p.count[i * gridDim.x + blockIdx.x] = static_cast<uint32_t>(count[2 * i] | second << 16);
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

/// The last i with offset[i] <= value, of n.
__device__ inline int64_t last_up_to(const int64_t* offset, int64_t n, int64_t value) {
  int64_t low = 0, high = n;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (offset[middle] <= value ? low : high) = middle;
  }
  return low;
}

/// One round of a block's entries, in shared memory. Item: an entry, or a token, whose entries have
/// slots that differ. Bit i of bits[w stride + e] says that item 32 w + i has slot e; `rank` counts
/// the items of the slot in words before. An odd stride: no bank conflicts either way.
struct Round {
  int slots, stride, words;
  Divider item;    // of an entry
  int32_t* next;   // [slots + 1]: the row of the slot's first entry in the round
  int32_t* total;  // [slots + 1]: slot_offset
  int32_t* local;  // [slots + 1]: where the slots begin in `order`
  int32_t* rank;
  uint32_t* bits;
  int32_t* slot;    // of the entries
  uint16_t* order;  // entries by slot

  __device__ int cell(unsigned of_item, int e) const { return of_item / 32 * stride + e; }
};

/// How a block places its chunk, and the shared memory for it.
struct Placing {
  int chunks, stride, words, group;
  int items, end;  // of a block, of all
  Divider item;
  size_t bytes;

  explicit Placing(const SlotSort& p)
      : chunks(static_cast<int>(slot_sort_chunks(p))),
        stride(static_cast<int>(p.slots | 1)),
        group(static_cast<int>(std::max<int64_t>(p.k, 1))),
        items(static_cast<int>(p.chunk) / group),
        end(static_cast<int>(p.entries) / group),
        item(group) {
    static_assert(kRouteBest <= Divider::kMostBy);
    constexpr int kCells = 8192, kEntries = Divider::kMost;
    const int most = std::min(kCells / stride, kEntries / (32 * group));
    words = std::max(1, std::min((items + 31) / 32, most));
    bytes = static_cast<size_t>(3 * (p.slots + 1) + 2 * words * stride) * sizeof(int32_t) +
            static_cast<size_t>(entries()) * (sizeof(int32_t) + sizeof(uint16_t));
  }
  unsigned blocks() const { return chunks > 0 ? chunks : 1; }
  /// At most that many a round.
  __host__ __device__ int entries() const { return 32 * words * group; }
  __device__ Round round(int slots, int32_t* shared) const {
    int32_t *total = shared + slots + 1, *local = total + slots + 1, *rank = local + slots + 1,
            *bits = rank + words * stride, *slot = bits + words * stride;
    return {slots,
            stride,
            words,
            item,
            shared,
            total,
            local,
            rank,
            reinterpret_cast<uint32_t*>(bits),
            slot,
            reinterpret_cast<uint16_t*>(slot + entries())};
  }
};

/// total[e]: entries of slot e; next[e]: those of them in blocks before this one. A warp adds the
/// counts of two slots.
__device__ inline void add_counts(const SlotSort& p, int chunks, const Round& r) {
  constexpr int kAhead = 5;
  static_assert(kAhead * kSlotSortMost < 1 << 16, "both halves add up at once");
  const int lane = threadIdx.x % 32;
#pragma unroll 1
  for (int i = threadIdx.x / 32; 2 * i < r.slots; i += static_cast<int>(blockDim.x) / 32) {
    const uint32_t* count = p.count + i * chunks;
    int total[2] = {}, before[2] = {};
#pragma unroll 1
    for (int first = lane; first < chunks; first += 32 * kAhead) {
      uint32_t n[kAhead], all = 0, own = 0;
#pragma unroll
      for (int j = 0; j < kAhead; ++j) n[j] = first + 32 * j < chunks ? count[first + 32 * j] : 0;
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        all += n[j];
        if (first + 32 * j < static_cast<int>(blockIdx.x)) own += n[j];
      }
      total[0] += all & 0xffff;
      total[1] += all >> 16;
      before[0] += own & 0xffff;
      before[1] += own >> 16;
    }
    __syncwarp();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int all = __reduce_add_sync(kFullWarp, total[half]),
                mine = __reduce_add_sync(kFullWarp, before[half]);
      if (lane > 0) continue;
      r.total[2 * i + half] = all;
      r.next[2 * i + half] = mine;
    }
  }
}

/// Fills rank, and local with the entries of each slot, from the bits.
__device__ inline void count_bits(const Round& r) {
#pragma unroll 1
  for (int e = threadIdx.x; e < r.slots; e += blockDim.x) {
    int sum = 0;
#pragma unroll 4
    for (int w = 0; w < r.words; ++w) {
      r.rank[w * r.stride + e] = sum;
      sum += __popc(r.bits[w * r.stride + e]);
    }
    r.local[e] = sum;
  }
}

/// Fills the round but for slot and order; mark() sets the bits of the thread's items. The first
/// round of a block adds the counts besides; block 0 writes slot_offset.
template <class Mark>
__device__ void rank_round(const SlotSort& p, const Round& r, int chunks, bool first, Mark&& mark) {
  const int threads = static_cast<int>(blockDim.x), warp = threadIdx.x / 32;
#pragma unroll 1
  for (int i = threadIdx.x; i < r.words * r.stride; i += threads) r.bits[i] = 0;
  if (first) add_counts(p, chunks, r);
  __syncthreads();
  mark();
  __syncthreads();
  count_bits(r);
  if (first && warp == threads / 32 - 1) scan(r.total, r.slots);
  __syncthreads();
  if (warp == 0) scan(r.local, r.slots);
#pragma unroll 1
  for (int e = threadIdx.x; first && e < r.slots; e += threads) r.next[e] += r.total[e];
#pragma unroll 1
  for (int e = threadIdx.x; first && blockIdx.x == 0 && e <= r.slots; e += threads)
    p.slot_offset[e] = r.total[e];
  __syncthreads();
}

/// Goes on to the next round.
__device__ inline void step_rows(const Round& r) {
  __syncthreads();
#pragma unroll 1
  for (int e = threadIdx.x; e < r.slots; e += static_cast<int>(blockDim.x))
    r.next[e] += r.local[e + 1] - r.local[e];
}

/// Begins to copy the slots of the thread's entries (their lower halves: they are small).
__device__ inline void fetch_slots(const Round& r, const int64_t* slot_of, int count) {
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += static_cast<int>(blockDim.x))
    __pipeline_memcpy_async(r.slot + i, slot_of + i, sizeof(int32_t));
  __pipeline_commit();
}
__device__ inline void mark_slots(const Round& r, int count) {
  __pipeline_wait_prior(0);
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += static_cast<int>(blockDim.x)) {
    const unsigned item = r.item(i);
    atomicOr(r.bits + r.cell(item, r.slot[i]), 1u << item % 32);
  }
}

/// Writes the `count` entries of a round, from `first` on, of the items from `token` on (tokens,
/// where they are a group): rows in their order.
__device__ inline void write_round(const SlotSort& p, const Round& r, int first, int token,
                                   int count) {
  const int threads = static_cast<int>(blockDim.x);
  int64_t* position = p.position + first;
#pragma unroll 1
  for (int i = threadIdx.x; i < count; i += threads) {
    const unsigned item = r.item(i);
    const int e = r.slot[i], c = r.cell(item, e);
    const int rank = r.rank[c] + __popc(r.bits[c] & ((1u << item % 32) - 1));
    r.order[r.local[e] + rank] = static_cast<uint16_t>(i);
    position[i] = r.next[e] + rank;
  }
  __syncthreads();
#pragma unroll 1
  for (int n = threadIdx.x; n < count; n += threads) {
    const int i = r.order[n], e = r.slot[i], row = r.next[e] + n - r.local[e];
    p.token_of[row] = p.k > 0 ? token + static_cast<int>(r.item(i))
                              : last_up_to(p.token_offset, p.tokens, first + i);
    p.entry[row] = first + i;
  }
}

/// May start while the kernel before it on the stream ends: what it needs of that comes behind the
/// first line.
static __global__ void __launch_bounds__(kSortThreads, 2)
    place_entries(SlotSort p, Placing placing) {
  wait_for_previous();
  let_next_start();
  extern __shared__ int32_t shared[];
  const Round r = placing.round(static_cast<int>(p.slots), shared);
  const int group = placing.group, begin = blockIdx.x * placing.items,
            stop = min(begin + placing.items, placing.end);
  int item = begin;
  do {
    const int first = item * group, count = min(stop - item, 32 * r.words) * group;
    if (item > begin) step_rows(r);
    fetch_slots(r, p.slot_of + first, count);
    rank_round(p, r, placing.chunks, item == begin, [&] { mark_slots(r, count); });
    write_round(p, r, first, item, count);
    item += 32 * r.words;
  } while (item < stop);
}

/// After the kernel that counts, which calls cudaTriggerProgrammaticLaunchCompletion() when it is
/// nearly done.
inline void place(const SlotSort& p, cudaStream_t stream) {
  const Placing placing(p);
  allow_shared(place_entries, placing.bytes);
  launch_early(place_entries, placing.blocks(), kSortThreads, placing.bytes, stream, p, placing);
}

}  // namespace switchyard::kernels
