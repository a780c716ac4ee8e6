#pragma once
// Counting sort of entries by slot. A block owns SlotSort::chunk entries; its counts per slot lie
// in SlotSort::count. Placing needs no second pass over the counts: every block sums those of the
// blocks before it. Integer sums only: the same result on every run.

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

static __global__ void count_entries(SlotSort p) {
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

/// total[e]: entries of slot e; before[e]: those of them in blocks before this one.
__device__ inline void sum_counts(const SlotSort& p, int64_t chunks, int32_t* before,
                                  int32_t* total) {
  for (int64_t e = threadIdx.x; e < p.slots; e += blockDim.x) before[e] = total[e] = 0;
  __syncthreads();
  int64_t width = 1;
  while (width < p.slots && width < blockDim.x) width *= 2;
  const int64_t part = threadIdx.x / width, parts = blockDim.x / width;
  for (int64_t e = threadIdx.x % width; e < p.slots; e += width) {
    int32_t sum = 0, mine = 0;
#pragma unroll 4
    for (int64_t c = part; c < chunks; c += parts) {
      const int32_t n = p.count[c * p.slots + e];
      sum += n;
      mine += c < blockIdx.x ? n : 0;
    }
    atomicAdd(total + e, sum);
    atomicAdd(before + e, mine);
  }
  __syncthreads();
}

/// before[e] += rows of all slots below e. Block 0 writes slot_offset. One warp.
__device__ inline void scan_totals(const SlotSort& p, int32_t* before, const int32_t* total) {
  const int lane = threadIdx.x % 32;
  int64_t base = 0;
  for (int64_t first = 0; first < p.slots; first += 32) {
    const int64_t e = first + lane;
    const int32_t n = e < p.slots ? total[e] : 0;
    int32_t sum = n;
    for (int step = 1; step < 32; step *= 2) {
      const int32_t left = __shfl_up_sync(kFullWarp, sum, step);
      if (lane >= step) sum += left;
    }
    if (e < p.slots) {
      before[e] += static_cast<int32_t>(base + sum - n);
      if (blockIdx.x == 0) p.slot_offset[e + 1] = base + sum;
    }
    base += __shfl_sync(kFullWarp, sum, 31);
  }
  if (blockIdx.x == 0 && lane == 0) p.slot_offset[0] = 0;
}

/// The token of entry `a`: the last t with token_offset[t] <= a.
__device__ inline int64_t token_of_entry(const SlotSort& p, int64_t a) {
  if (p.k > 0) return a / p.k;
  int64_t low = 0, high = p.tokens;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (p.token_offset[middle] <= a ? low : high) = middle;
  }
  return low;
}

/// Calls use(a, slot, lanes with the same slot) for entries begin .. end-1, 32 at a time; dead
/// lanes have slot -1.
template <class Use>
__device__ inline void for_warp_entries(const SlotSort& p, int64_t begin, int64_t end, Use&& use) {
  for (int64_t first = begin; first < end; first += 32) {
    const int64_t a = first + threadIdx.x % 32;
    const int slot = a < end ? static_cast<int>(p.slot_of[a]) : -1;
    use(a, slot, __match_any_sync(kFullWarp, slot));
    __syncwarp();
  }
}

/// Shared memory: before [slots], total [slots], next [warps, slots].
static __global__ void place_entries(SlotSort p, int64_t chunks) {
  extern __shared__ int32_t shared[];
  int32_t *before = shared, *total = shared + p.slots, *next = shared + 2 * p.slots;
  sum_counts(p, chunks, before, total);
  if (threadIdx.x < 32) scan_totals(p, before, total);
  const int64_t warps = blockDim.x / 32, warp = threadIdx.x / 32;
  for (int64_t i = threadIdx.x; i < warps * p.slots; i += blockDim.x) next[i] = 0;
  __syncthreads();
  const int64_t stop = min((blockIdx.x + 1) * p.chunk, p.entries), share = p.chunk / warps;
  const int64_t begin = min(blockIdx.x * p.chunk + warp * share, stop),
                end = warp + 1 == warps ? stop : min(begin + share, stop);
  int32_t* mine = next + warp * p.slots;
  const unsigned lane = threadIdx.x % 32, below = (1u << lane) - 1;
  for_warp_entries(p, begin, end, [&](int64_t, int slot, unsigned same) {
    if (slot >= 0 && (same & below) == 0) mine[slot] += __popc(same);
  });
  __syncthreads();
  for (int64_t e = threadIdx.x; e < p.slots; e += blockDim.x) {
    int32_t sum = before[e];
    for (int64_t w = 0; w < warps; ++w) {
      const int32_t n = next[w * p.slots + e];
      next[w * p.slots + e] = sum;
      sum += n;
    }
  }
  __syncthreads();
  for_warp_entries(p, begin, end, [&](int64_t a, int slot, unsigned same) {
    const int64_t row = slot < 0 ? 0 : mine[slot] + __popc(same & below);
    __syncwarp();
    if (slot < 0) return;
    if ((same & below) == 0) mine[slot] += __popc(same);
    p.token_of[row] = token_of_entry(p, a);
    p.position[a] = row;
    p.entry[row] = a;
  });
}

/// Fewer warps where the slots are many, so that their counters fit.
inline void place(const SlotSort& p, cudaStream_t stream) {
  const int64_t chunks = slot_sort_chunks(p), warps = p.slots <= 1024 ? 8 : 1;
  const size_t bytes = static_cast<size_t>((2 + warps) * p.slots) * sizeof(int32_t);
  allow_shared(place_entries, bytes);
  const auto blocks = static_cast<unsigned>(chunks > 0 ? chunks : 1);
  place_entries<<<blocks, static_cast<unsigned>(32 * warps), bytes, stream>>>(p, chunks);
}

}  // namespace switchyard::kernels
