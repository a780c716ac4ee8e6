#include <ATen/Parallel.h>

#include "core/kernels/activation_math.h"
#include "core/kernels/dtype_cpu.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrainElements = 16384;

int64_t grain(int64_t hidden) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, hidden));
}

int64_t width_of(const Activate& p) { return p.gated ? 2 * p.hidden : p.hidden; }

/// The row of z, plus its slot's bias where there is one (then in `sum`).
template <class T>
const T* biased_row(const Activate& p, int64_t r, std::vector<T>& sum) {
  using acc = acc_t<T>;
  const int64_t width = width_of(p);
  const T* z = static_cast<const T*>(p.z) + r * width;
  if (!p.bias) return z;
  const T* bias = static_cast<const T*>(p.bias) + p.slot_of[p.entry[r]] * width;
  sum.resize(static_cast<size_t>(width));
  for (int64_t h = 0; h < width; ++h) sum[static_cast<size_t>(h)] = T(acc(z[h]) + acc(bias[h]));
  return sum.data();
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
void backward_row(const ActivateBackward& p, int64_t r, const T* z) {
  const Activate& f = p.forward;
  const T* da = static_cast<const T*>(p.da) + r * f.hidden;
  T* dz = static_cast<T*>(p.dz) + r * width_of(f);
  T* scaled = static_cast<T*>(p.scaled) + r * f.hidden;
  const auto w = static_cast<const acc_t<T>*>(p.weight)[f.entry[r]];
  const auto dot = f.gated ? backward_columns<T, kAct, true>(z, da, w, f.hidden, dz, scaled)
                           : backward_columns<T, kAct, false>(z, da, w, f.hidden, dz, scaled);
  static_cast<acc_t<T>*>(p.dweight)[f.entry[r]] = dot;
}

/// Calls run(row, z of the row) with types and activation known.
template <class Run>
void for_rows(const Activate& p, Run&& run) {
  with_dtype(p.dtype, [&](auto type) {
    with_act(p.act, [&](auto act) {
      using T = typename decltype(type)::type;
      at::parallel_for(0, p.rows, grain(p.hidden), [&](int64_t begin, int64_t end) {
        std::vector<T> sum;
        for (int64_t r = begin; r < end; ++r)
          run.template operator()<T, decltype(act)::value>(r, biased_row<T>(p, r, sum));
      });
    });
  });
}

}  // namespace

void activate_cpu(const Activate& p) {
  for_rows(p, [&]<class T, Act kAct>(int64_t r, const T* z) {
    forward_row<T, kAct>(z, p.gated, p.hidden, static_cast<T*>(p.a) + r * p.hidden);
  });
}

void activate_backward_cpu(const ActivateBackward& p) {
  for_rows(p.forward,
           [&]<class T, Act kAct>(int64_t r, const T* z) { backward_row<T, kAct>(p, r, z); });
}

}  // namespace switchyard::kernels
