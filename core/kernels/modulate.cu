#include "core/kernels/device_math.cuh"

// A thread owns four columns of a row: a block is as wide as a row.
namespace switchyard::kernels {
namespace {

constexpr int kColumns = 4, kWidest = kModulateWidth / kColumns, kWarps = kWidest / 32;

template <class A>
struct Four {
  A v[kColumns] = {};
};

template <class T>
__device__ Four<acc_t<T>> load_four(const void* from, int64_t at) {
  const auto pack = *reinterpret_cast<const Pack<T, kColumns>*>(static_cast<const T*>(from) + at);
  Four<acc_t<T>> out;
#pragma unroll
  for (int i = 0; i < kColumns; ++i) out.v[i] = load(pack.v + i);
  return out;
}
template <class T>
__device__ void store_four(void* to, int64_t at, const Four<acc_t<T>>& from) {
  Pack<T, kColumns> pack;
#pragma unroll
  for (int i = 0; i < kColumns; ++i) store(pack.v + i, from.v[i]);
  *reinterpret_cast<Pack<T, kColumns>*>(static_cast<T*>(to) + at) = pack;
}

/// Sums of the block's values, in the order of its warps; `parts` must not be in use.
template <class A, int N>
__device__ void sum_block(A (&value)[N], A (*parts)[N]) {
  const int warps = blockDim.x / 32;
#pragma unroll
  for (int i = 0; i < N; ++i)
    for (int step = 16; step > 0; step /= 2) value[i] += __shfl_xor_sync(kFullWarp, value[i], step);
  if (threadIdx.x % 32 == 0)
    for (int i = 0; i < N; ++i) parts[threadIdx.x / 32][i] = value[i];
  __syncthreads();
  for (int i = 0; i < N; ++i) value[i] = 0;
  for (int w = 0; w < warps; ++w)
    for (int i = 0; i < N; ++i) value[i] += parts[w][i];
}

/// A block per row.
template <class T, class H>
__global__ void __launch_bounds__(kWidest) modulate_rows(Modulate p) {
  using A = acc_t<T>;
  __shared__ A parts[2][kWarps][1];
  const int64_t row = blockIdx.x, c = int64_t(threadIdx.x) * kColumns, at = row * p.width + c,
                of_image = row / p.tokens * p.width + c;
  const bool mine = c < p.width;
  Four<A> v;
  if (mine) v = load_four<T>(p.x, at);
  if (mine && p.branch) {
    const auto gate = load_four<T>(p.gate, of_image);
    const auto branch = load_four<H>(p.branch, at);
    for (int i = 0; i < kColumns; ++i) v.v[i] = A(T(v.v[i] + gate.v[i] * A(branch.v[i])));
    store_four<T>(p.sum, at, v);
  }
  A sum[1] = {(v.v[0] + v.v[1]) + (v.v[2] + v.v[3])};
  sum_block(sum, parts[0]);
  const A mean = sum[0] / A(p.width);
  A square[1] = {0};
  for (int i = 0; i < kColumns; ++i) {
    v.v[i] = mine ? v.v[i] - mean : A(0);
    square[0] += v.v[i] * v.v[i];
  }
  sum_block(square, parts[1]);
  const A factor = 1 / sqrt(square[0] / A(p.width) + A(p.eps));
  if (threadIdx.x == 0) {
    static_cast<A*>(p.mean)[row] = mean;
    static_cast<A*>(p.factor)[row] = factor;
  }
  if (!mine) return;
  const auto shift = load_four<T>(p.shift, of_image), scale = load_four<T>(p.scale, of_image);
  Four<acc_t<H>> out;
  for (int i = 0; i < kColumns; ++i)
    out.v[i] = acc_t<H>(v.v[i] * factor * (1 + scale.v[i]) + shift.v[i]);
  store_four<H>(p.out, at, out);
}

/// A block per chunk of an image's rows, one row after the other.
template <class T, class H, bool kBranch>
__global__ void __launch_bounds__(kWidest) modulate_back(ModulateBackward p) {
  using A = acc_t<T>;
  __shared__ A parts[2][kWarps][2];
  const Modulate& f = p.forward;
  const int64_t c = int64_t(threadIdx.x) * kColumns, chunks = modulate_chunks(f.tokens),
                image = blockIdx.x / chunks, first = blockIdx.x % chunks * kModulateChunk;
  const bool mine = c < f.width;
  Four<A> scale, gate, dshift, dscale, dgate;
  if (mine) scale = load_four<T>(f.scale, image * f.width + c);
  if (mine && kBranch) gate = load_four<T>(f.gate, image * f.width + c);
  for (int64_t t = first; t < first + kModulateChunk && t < f.tokens; ++t) {
    const int64_t row = image * f.tokens + t, at = row * f.width + c;
    const A mean = static_cast<const A*>(f.mean)[row],
            factor = static_cast<const A*>(f.factor)[row];
    Four<A> normal, g, dsum;
    Four<acc_t<H>> branch;
    if (mine) {
      const auto x = load_four<T>(f.x, at);
      const auto dout = load_four<H>(p.dout, at);
      if (kBranch) {
        dsum = load_four<T>(p.dsum, at);
        branch = load_four<H>(f.branch, at);
      }
      for (int i = 0; i < kColumns; ++i) {
        normal.v[i] = (x.v[i] - mean) * factor;
        dshift.v[i] += A(dout.v[i]);
        dscale.v[i] += A(dout.v[i]) * normal.v[i];
        g.v[i] = A(dout.v[i]) * (1 + scale.v[i]);
      }
    }
    A sums[2] = {0, 0};
    for (int i = 0; i < kColumns; ++i) {
      sums[0] += g.v[i];
      sums[1] += g.v[i] * normal.v[i];
    }
    sum_block(sums, parts[t % 2]);
    if (!mine) continue;
    Four<acc_t<H>> dbranch;
    for (int i = 0; i < kColumns; ++i) {
      g.v[i] = factor * (g.v[i] - (sums[0] + normal.v[i] * sums[1]) / A(f.width)) + dsum.v[i];
      dbranch.v[i] = acc_t<H>(g.v[i] * gate.v[i]);
      dgate.v[i] += g.v[i] * A(branch.v[i]);
    }
    store_four<T>(p.dx, at, g);
    if (kBranch) store_four<H>(p.dbranch, at, dbranch);
  }
  if (!mine) return;
  const int64_t at = blockIdx.x * f.width + c;
  store_four<A>(p.dshift, at, dshift);
  store_four<A>(p.dscale, at, dscale);
  if (kBranch) store_four<A>(p.dgate, at, dgate);
}

unsigned threads_of(const Modulate& p) { return 32 * blocks_for(p.width, 32 * kColumns); }

/// Calls run<T, H>() with the types of x and of the result.
template <class Run>
void with_types(const Modulate& p, Run&& run) {
  with_dtype(p.half, [&](auto tag) {
    using H = typename decltype(tag)::type;
    p.dtype == p.half ? run.template operator()<H, H>() : run.template operator()<float, H>();
  });
}

}  // namespace

void modulate_cuda(const Modulate& p, void* stream) {
  if (p.images * p.tokens == 0) return;
  with_types(p, [&]<class T, class H>() {
    modulate_rows<T, H><<<static_cast<unsigned>(p.images * p.tokens), threads_of(p), 0,
                          static_cast<cudaStream_t>(stream)>>>(p);
  });
}

void modulate_backward_cuda(const ModulateBackward& p, void* stream) {
  const Modulate& f = p.forward;
  if (f.images * f.tokens == 0) return;
  const auto blocks = static_cast<unsigned>(f.images * modulate_chunks(f.tokens));
  with_types(f, [&]<class T, class H>() {
    const auto kernel = f.branch ? modulate_back<T, H, true> : modulate_back<T, H, false>;
    kernel<<<blocks, threads_of(f), 0, static_cast<cudaStream_t>(stream)>>>(p);
  });
}

}  // namespace switchyard::kernels
