#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

/// 2^shift lanes copy a row.
template <class Unit>
__global__ void gather_units(Gather p, int64_t units, int shift) {
  const int64_t thread = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  const int64_t row = thread >> shift;
  if (row >= p.rows) return;
  const Unit* from = static_cast<const Unit*>(p.x) + p.index[row] * units;
  Unit* to = static_cast<Unit*>(p.out) + row * units;
#pragma unroll 4
  for (int64_t u = thread & ((1 << shift) - 1); u < units; u += 1 << shift) to[u] = from[u];
}

template <class Unit>
void gather(const Gather& p, void* stream) {
  const int64_t units = p.row_bytes / static_cast<int64_t>(sizeof(Unit));
  const int shift = lane_shift(units);
  gather_units<Unit>
      <<<blocks_for(p.rows << shift, kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
          p, units, shift);
}

/// 2^shift lanes sum the rows of a token, N columns at a time; kBatch rows are read at once. Where
/// they are all that comes from the kernel before, it reads the indices while that one ends.
template <class T, int N, int kBatch>
__global__ void combine_tokens(Combine p, int shift) {
  using Row = Pack<T, N>;
  if (!p.only_rows_are_new) wait_for_previous();
  const int64_t thread = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  const int64_t token = thread >> shift;
  if (token >= p.tokens) return;
  const int64_t begin = p.token_offset[token], *position = p.position + begin;
  const int k = static_cast<int>(p.token_offset[token + 1] - begin),
            units = static_cast<int>(p.width / N), lanes = 1 << shift;
  const auto* weight = static_cast<const acc_t<T>*>(p.weight);
  for (int u = static_cast<int>(thread) & (lanes - 1); u < units; u += lanes) {
    acc_t<T> sum[N] = {};
    for (int first = 0; first < k; first += kBatch) {
      const Row* from[kBatch];
#pragma unroll
      for (int j = 0; j < kBatch; ++j)
        from[j] = static_cast<const Row*>(p.rows) + position[min(first + j, k - 1)] * units + u;
      wait_for_previous();
      Row row[kBatch];
#pragma unroll
      for (int j = 0; j < kBatch; ++j) row[j] = *from[j];
#pragma unroll
      for (int j = 0; j < kBatch; ++j) {
        const int64_t a = begin + first + j;
        if (first + j >= k) break;
        Row add{};
        if (p.bias) add = static_cast<const Row*>(p.bias)[p.slot_of[a] * units + u];
        const acc_t<T> w = weight ? weight[a] : acc_t<T>(1);
#pragma unroll
        for (int i = 0; i < N; ++i) sum[i] += w * (load(row[j].v + i) + load(add.v + i));
      }
    }
    Row out;
#pragma unroll
    for (int i = 0; i < N; ++i) store(out.v + i, sum[i]);
    wait_for_previous();
    static_cast<Row*>(p.out)[token * units + u] = out;
  }
}

template <class T, int N, int kBatch>
void combine(const Combine& p, void* stream) {
  const int shift = lane_shift(p.width / N);
  launch_early(combine_tokens<T, N, kBatch>, dim3(blocks_for(p.tokens << shift, kThreads)),
               kThreads, 0, stream, p, shift);
}

}  // namespace

void gather_rows_cuda(const Gather& p, void* stream) {
  if (p.rows == 0 || p.row_bytes == 0) return;
  if (packs<char>(p.row_bytes, {p.x, p.out})) return gather<uint4>(p, stream);
  if (p.row_bytes % 4 == 0) return gather<uint32_t>(p, stream);
  gather<uint16_t>(p, stream);
}

void combine_rows_cuda(const Combine& p, void* stream) {
  if (p.tokens == 0 || p.width == 0) return;
  with_dtype(p.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (!packs<T>(p.width, {p.rows, p.bias, p.out})) return combine<T, 1, 2>(p, stream);
    if (p.entries <= 2 * p.tokens) return combine<T, kPack<T>, 2>(p, stream);
    combine<T, kPack<T>, 8>(p, stream);
  });
}

}  // namespace switchyard::kernels
