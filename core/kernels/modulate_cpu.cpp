#include <ATen/Parallel.h>

#include <cmath>

#include "core/kernels/dtype_cpu.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kLanes = 8;  // partial sums, so that sums over a row vectorise; divides no width

/// Sum over c of value(c).
template <class A, class Value>
A sum_over(int64_t width, Value&& value) {
  A lane[kLanes] = {};
  int64_t c = 0;
  for (; c + kLanes <= width; c += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lane[l] += value(c + l);
  for (int64_t l = 0; c < width; ++c, ++l) lane[l] += value(c);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

template <class T, class H>
void forward_row(const Modulate& p, int64_t row, acc_t<T>* v) {
  using A = acc_t<T>;
  const int64_t width = p.width, image = row / p.tokens * width;
  const T *x = static_cast<const T*>(p.x) + row * width,
          *shift = static_cast<const T*>(p.shift) + image,
          *scale = static_cast<const T*>(p.scale) + image;
  if (p.branch) {
    const T* gate = static_cast<const T*>(p.gate) + image;
    const H* branch = static_cast<const H*>(p.branch) + row * width;
    T* sum = static_cast<T*>(p.sum) + row * width;
    for (int64_t c = 0; c < width; ++c) {
      sum[c] = T(A(x[c]) + A(gate[c]) * A(branch[c]));
      v[c] = A(sum[c]);
    }
  } else {
    for (int64_t c = 0; c < width; ++c) v[c] = A(x[c]);
  }
  const A mean = sum_over<A>(width, [&](int64_t c) { return v[c]; }) / A(width);
  for (int64_t c = 0; c < width; ++c) v[c] -= mean;
  const A variance = sum_over<A>(width, [&](int64_t c) { return v[c] * v[c]; }) / A(width);
  const A factor = 1 / std::sqrt(variance + A(p.eps));
  H* out = static_cast<H*>(p.out) + row * width;
  for (int64_t c = 0; c < width; ++c) out[c] = H(v[c] * factor * (1 + A(scale[c])) + A(shift[c]));
  static_cast<A*>(p.mean)[row] = mean;
  static_cast<A*>(p.factor)[row] = factor;
}

/// Gradients of one row; adds to the sums of its chunk. `g`: scratch.
template <class T, class H>
void backward_row(const ModulateBackward& p, int64_t row, int64_t chunk, acc_t<T>* g) {
  using A = acc_t<T>;
  const Modulate& f = p.forward;
  const int64_t width = f.width, image = row / f.tokens * width;
  const T *x = static_cast<const T*>(f.x) + row * width,
          *scale = static_cast<const T*>(f.scale) + image;
  const H* dout = static_cast<const H*>(p.dout) + row * width;
  const A mean = static_cast<const A*>(f.mean)[row], factor = static_cast<const A*>(f.factor)[row];
  const auto normal = [&](int64_t c) { return (A(x[c]) - mean) * factor; };
  A *dshift = static_cast<A*>(p.dshift) + chunk * width,
    *dscale = static_cast<A*>(p.dscale) + chunk * width;
  for (int64_t c = 0; c < width; ++c) {
    dshift[c] += A(dout[c]);
    dscale[c] += A(dout[c]) * normal(c);
    g[c] = A(dout[c]) * (1 + A(scale[c]));
  }
  const A along = sum_over<A>(width, [&](int64_t c) { return g[c]; }) / A(width),
          across = sum_over<A>(width, [&](int64_t c) { return g[c] * normal(c); }) / A(width);
  for (int64_t c = 0; c < width; ++c) g[c] = factor * (g[c] - along - normal(c) * across);
  T* dx = static_cast<T*>(p.dx) + row * width;
  if (f.branch) {
    const T *gate = static_cast<const T*>(f.gate) + image,
            *dsum = static_cast<const T*>(p.dsum) + row * width;
    const H* branch = static_cast<const H*>(f.branch) + row * width;
    H* dbranch = static_cast<H*>(p.dbranch) + row * width;
    A* dgate = static_cast<A*>(p.dgate) + chunk * width;
    for (int64_t c = 0; c < width; ++c) {
      g[c] += A(dsum[c]);
      dbranch[c] = H(g[c] * A(gate[c]));
      dgate[c] += g[c] * A(branch[c]);
    }
  }
  for (int64_t c = 0; c < width; ++c) dx[c] = T(g[c]);
}

template <class T, class H>
void backward_chunk(const ModulateBackward& p, int64_t chunk, acc_t<T>* g) {
  using A = acc_t<T>;
  const Modulate& f = p.forward;
  const int64_t chunks = modulate_chunks(f.tokens), first = chunk % chunks * kModulateChunk,
                image = chunk / chunks;
  for (void* sums : {p.dshift, p.dscale, p.dgate})
    if (sums) std::fill_n(static_cast<A*>(sums) + chunk * f.width, f.width, A(0));
  for (int64_t t = first; t < std::min(first + kModulateChunk, f.tokens); ++t)
    backward_row<T, H>(p, image * f.tokens + t, chunk, g);
}

/// Calls run<T, H>() with the types of x and of the result.
template <class Run>
void with_types(const Modulate& p, Run&& run) {
  with_dtype(p.half, [&](auto tag) {
    using H = typename decltype(tag)::type;
    p.dtype == p.half ? run.template operator()<H, H>() : run.template operator()<float, H>();
  });
}

/// Calls run(item, scratch row) for all items.
template <class A, class Run>
void for_all(int64_t items, int64_t grain, int64_t width, Run&& run) {
  at::parallel_for(0, items, grain, [&](int64_t begin, int64_t end) {
    std::vector<A> scratch(static_cast<size_t>(width));
    for (int64_t i = begin; i < end; ++i) run(i, scratch.data());
  });
}

}  // namespace

void modulate_cpu(const Modulate& p) {
  with_types(p, [&]<class T, class H>() {
    for_all<acc_t<T>>(p.images * p.tokens, kModulateChunk, p.width,
                      [&](int64_t row, acc_t<T>* v) { forward_row<T, H>(p, row, v); });
  });
}

void modulate_backward_cpu(const ModulateBackward& p) {
  const Modulate& f = p.forward;
  with_types(f, [&]<class T, class H>() {
    for_all<acc_t<T>>(f.images * modulate_chunks(f.tokens), 1, f.width,
                      [&](int64_t chunk, acc_t<T>* g) { backward_chunk<T, H>(p, chunk, g); });
  });
}

}  // namespace switchyard::kernels
