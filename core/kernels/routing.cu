#include "core/kernels/device_math.cuh"
#include "core/kernels/slot_place.cuh"

namespace switchyard::kernels {
namespace {

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
  const auto blocks = static_cast<unsigned>(slot_sort_chunks(p));
  const size_t bytes = static_cast<size_t>(p.slots) * sizeof(int32_t);
  if (blocks > 0) {
    allow_shared(count_entries, bytes);
    count_entries<<<blocks, kSortThreads, bytes, s>>>(p);
  }
  place(p, s);
}

}  // namespace switchyard::kernels
