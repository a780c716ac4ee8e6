#include <ATen/Parallel.h>

#include "core/kernels/activation_math.h"
#include "core/kernels/dtype_cpu.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrainElements = 16384;

int64_t grain(int64_t hidden) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, hidden));
}

template <class T, Act kAct>
void forward_row(const T* z, bool gated, int64_t hidden, T* a) {
  using acc = acc_t<T>;
  if (!gated) {
    for (int64_t h = 0; h < hidden; ++h) a[h] = T(act_value<kAct>(acc(z[h])));
    return;
  }
  const T* up = z + hidden;
  for (int64_t h = 0; h < hidden; ++h) a[h] = T(act_value<kAct>(acc(z[h])) * acc(up[h]));
}

template <class T, Act kAct>
void plain_row_backward(const T* z, const T* da, acc_t<T> w, int64_t hidden, T* dz, T* scaled) {
  using acc = acc_t<T>;
  for (int64_t h = 0; h < hidden; ++h) {
    const auto f = act_slope<kAct>(acc(z[h]));
    dz[h] = T(w * acc(da[h]) * f.slope);
    scaled[h] = T(w * f.value);
  }
}

template <class T, Act kAct>
void gated_row_backward(const T* z, const T* da, acc_t<T> w, int64_t hidden, T* dz, T* scaled) {
  using acc = acc_t<T>;
  for (int64_t h = 0; h < hidden; ++h) {
    const auto f = act_slope<kAct>(acc(z[h]));
    const acc up = acc(z[hidden + h]), d = w * acc(da[h]);
    dz[h] = T(d * up * f.slope);
    dz[hidden + h] = T(d * f.value);
    scaled[h] = T(w * f.value * up);
  }
}

template <class T, Act kAct>
acc_t<T> row_dot(const T* z, const T* da, bool gated, int64_t hidden) {
  using acc = acc_t<T>;
  acc sum[4] = {0, 0, 0, 0};
  for (int64_t h = 0; h < hidden; ++h) {
    const acc up = gated ? acc(z[hidden + h]) : acc(1);
    sum[h & 3] += acc(da[h]) * act_value<kAct>(acc(z[h])) * up;
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

template <class T, Act kAct>
void backward_row(const ActivateBackward& p, int64_t r) {
  const int64_t zw = p.gated ? 2 * p.hidden : p.hidden;
  const T* z = static_cast<const T*>(p.z) + r * zw;
  const T* da = static_cast<const T*>(p.da) + r * p.hidden;
  T* dz = static_cast<T*>(p.dz) + r * zw;
  T* scaled = static_cast<T*>(p.scaled) + r * p.hidden;
  const auto w = acc_t<T>(static_cast<const T*>(p.weight)[p.entry[r]]);
  static_cast<T*>(p.dweight)[p.entry[r]] = T(row_dot<T, kAct>(z, da, p.gated, p.hidden));
  p.gated ? gated_row_backward<T, kAct>(z, da, w, p.hidden, dz, scaled)
          : plain_row_backward<T, kAct>(z, da, w, p.hidden, dz, scaled);
}

}  // namespace

void activate_cpu(const Activate& p) {
  with_dtype(p.dtype, [&](auto type) {
    with_act(p.act, [&](auto act) {
      using T = typename decltype(type)::type;
      const int64_t zw = p.gated ? 2 * p.hidden : p.hidden;
      at::parallel_for(0, p.rows, grain(p.hidden), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
          forward_row<T, decltype(act)::value>(static_cast<const T*>(p.z) + r * zw, p.gated,
                                               p.hidden, static_cast<T*>(p.a) + r * p.hidden);
        }
      });
    });
  });
}

void activate_backward_cpu(const ActivateBackward& p) {
  with_dtype(p.dtype, [&](auto type) {
    with_act(p.act, [&](auto act) {
      using T = typename decltype(type)::type;
      at::parallel_for(0, p.rows, grain(p.hidden), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) backward_row<T, decltype(act)::value>(p, r);
      });
    });
  });
}

}  // namespace switchyard::kernels
