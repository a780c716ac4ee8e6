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

constexpr int64_t kLanes = 8;  // partial sums, so that the dot product vectorises

/// Columns h .. h+count-1 of one row; adds to `dot`.
template <class T, Act kAct, bool kGated>
inline void backward_lanes(const T* z, const T* da, acc_t<T> w, int64_t hidden, int64_t h,
                           int64_t count, T* dz, T* scaled, acc_t<T>* dot) {
  using acc = acc_t<T>;
  for (int64_t l = 0; l < count; ++l) {
    const auto f = act_slope<kAct>(acc(z[h + l]));
    const acc d = acc(da[h + l]), up = kGated ? acc(z[hidden + h + l]) : acc(1);
    const acc a = f.value * up, wd = w * d;
    dz[h + l] = T(wd * up * f.slope);
    if constexpr (kGated) dz[hidden + h + l] = T(wd * f.value);
    scaled[h + l] = T(w * a);
    dot[l] += d * a;
  }
}

/// Returns da . activation.
template <class T, Act kAct, bool kGated>
acc_t<T> backward_columns(const T* __restrict z, const T* __restrict da, acc_t<T> w, int64_t hidden,
                          T* __restrict dz, T* __restrict scaled) {
  acc_t<T> dot[kLanes] = {};
  int64_t h = 0;
  for (; h + kLanes <= hidden; h += kLanes) {
    backward_lanes<T, kAct, kGated>(z, da, w, hidden, h, kLanes, dz, scaled, dot);
  }
  backward_lanes<T, kAct, kGated>(z, da, w, hidden, h, hidden - h, dz, scaled, dot);
  return ((dot[0] + dot[1]) + (dot[2] + dot[3])) + ((dot[4] + dot[5]) + (dot[6] + dot[7]));
}

template <class T, Act kAct>
void backward_row(const ActivateBackward& p, int64_t r) {
  const int64_t zw = p.gated ? 2 * p.hidden : p.hidden;
  const T* z = static_cast<const T*>(p.z) + r * zw;
  const T* da = static_cast<const T*>(p.da) + r * p.hidden;
  T* dz = static_cast<T*>(p.dz) + r * zw;
  T* scaled = static_cast<T*>(p.scaled) + r * p.hidden;
  const auto w = acc_t<T>(static_cast<const T*>(p.weight)[p.entry[r]]);
  const auto dot = p.gated ? backward_columns<T, kAct, true>(z, da, w, p.hidden, dz, scaled)
                           : backward_columns<T, kAct, false>(z, da, w, p.hidden, dz, scaled);
  static_cast<T*>(p.dweight)[p.entry[r]] = T(dot);
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
