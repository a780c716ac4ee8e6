#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

constexpr unsigned kFullWarp = 0xffffffffu;

template <class T>
__global__ void select_rows(TopK p) {
  const int64_t r = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (r >= p.rows) return;
  const T* row = static_cast<const T*>(p.scores) + r * p.columns;
  int64_t* out = p.index + r * p.k;
  for (int64_t i = 0; i < p.k; ++i) {
    int64_t best = -1;
    for (int64_t c = 0; c < p.columns; ++c) {
      bool taken = false;
      for (int64_t j = 0; j < i; ++j) taken |= out[j] == c;
      if (taken) continue;
      if (best < 0 || row[c] > row[best] || (isnan(row[best]) && !isnan(row[c]))) best = c;
    }
    out[i] = best;
  }
}

// Counting sort in three passes. A warp owns kSortChunk entries; scratch[chunk, slot] holds its
// counts, later where its entries of that slot begin.
__global__ void count_chunks(SlotSort p) {
  const int64_t begin = blockIdx.x * kSortChunk, end = min(begin + kSortChunk, p.entries);
  int64_t* count = p.scratch + blockIdx.x * p.slots;
  for (int64_t e = threadIdx.x; e < p.slots; e += 32) count[e] = 0;
  __syncwarp();
  for (int64_t a = begin + threadIdx.x; a - threadIdx.x < end; a += 32) {
    const bool live = a < end;
    const int slot = live ? static_cast<int>(p.slot_of[a]) : -1;
    const unsigned same = __match_any_sync(kFullWarp, slot);
    if (live && __ffs(same) - 1 == static_cast<int>(threadIdx.x)) count[slot] += __popc(same);
    __syncwarp();
  }
}

__global__ void scan_slots(SlotSort p, int64_t chunks) {
  for (int64_t e = threadIdx.x; e < p.slots; e += blockDim.x) {
    int64_t sum = 0;
    for (int64_t c = 0; c < chunks; ++c) {
      const int64_t n = p.scratch[c * p.slots + e];
      p.scratch[c * p.slots + e] = sum;
      sum += n;
    }
    p.slot_offset[e + 1] = sum;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  p.slot_offset[0] = 0;
  for (int64_t e = 0; e < p.slots; ++e) p.slot_offset[e + 1] += p.slot_offset[e];
}

/// The token of entry `a`: the last t with token_offset[t] <= a.
__device__ int64_t token_of_entry(const SlotSort& p, int64_t a) {
  int64_t low = 0, high = p.tokens;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (p.token_offset[middle] <= a ? low : high) = middle;
  }
  return low;
}

__global__ void place_entries(SlotSort p) {
  const int64_t begin = blockIdx.x * kSortChunk, end = min(begin + kSortChunk, p.entries);
  int64_t* next = p.scratch + blockIdx.x * p.slots;
  const unsigned below = (1u << threadIdx.x) - 1;
  for (int64_t a = begin + threadIdx.x; a - threadIdx.x < end; a += 32) {
    const bool live = a < end;
    const int slot = live ? static_cast<int>(p.slot_of[a]) : -1;
    const unsigned same = __match_any_sync(kFullWarp, slot);
    int64_t row = 0;
    if (live) row = p.slot_offset[slot] + next[slot] + __popc(same & below);
    __syncwarp();
    if (live && (same & below) == 0) next[slot] += __popc(same);
    __syncwarp();
    if (!live) continue;
    p.token_of[row] = token_of_entry(p, a);
    p.position[a] = row;
    p.entry[row] = a;
  }
}

}  // namespace

void top_k_cuda(const TopK& p, void* stream) {
  if (p.rows == 0) return;
  const auto s = static_cast<cudaStream_t>(stream);
  const unsigned blocks = blocks_for(p.rows, kThreads);
  if (p.dtype == DType::Double) {
    select_rows<double><<<blocks, kThreads, 0, s>>>(p);
  } else {
    select_rows<float><<<blocks, kThreads, 0, s>>>(p);
  }
}

void slot_sort_cuda(const SlotSort& p, void* stream) {
  const auto s = static_cast<cudaStream_t>(stream);
  const unsigned chunks = blocks_for(p.entries, kSortChunk);
  if (chunks > 0) count_chunks<<<chunks, 32, 0, s>>>(p);
  scan_slots<<<1, kThreads, 0, s>>>(p, chunks);
  if (chunks > 0) place_entries<<<chunks, 32, 0, s>>>(p);
}

}  // namespace switchyard::kernels
