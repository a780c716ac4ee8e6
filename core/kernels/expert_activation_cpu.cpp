#include "core/kernels/dtype_cpu.h"
#include "core/kernels/float_activation.h"

namespace switchyard::kernels {
namespace {

constexpr int64_t kGrainElements = 16384;

int64_t grain(int64_t hidden) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, hidden));
}

SWITCHYARD_INLINE int64_t width_of(const Activate& p) { return p.gated ? 2 * p.hidden : p.hidden; }

template <Act kAct, class A>
SWITCHYARD_INLINE ValueSlope<A> slope_of(A x) {
  if constexpr (std::is_same_v<A, float>)
    return float_slope<kAct>(x);
  else
    return act_slope<kAct>(x);
}

/// The row of z, plus its slot's bias where there is one (then in `sum`).
template <class T>
SWITCHYARD_INLINE const T* biased_row(const Activate& p, int64_t r, std::vector<T>& sum) {
  using acc = acc_t<T>;
  const int64_t width = width_of(p);
  const T* z = static_cast<const T*>(p.z) + r * width;
  if (!p.bias) return z;
  const T* bias = static_cast<const T*>(p.bias) + p.slot_of[p.entry[r]] * width;
  for (int64_t h = 0; h < width; ++h) sum[static_cast<size_t>(h)] = T(acc(z[h]) + acc(bias[h]));
  return sum.data();
}

template <class T, Act kAct>
SWITCHYARD_INLINE void forward_row(const T* __restrict z, bool gated, int64_t hidden,
                                   T* __restrict a) {
  using acc = acc_t<T>;
  if (!gated) {
    for (int64_t h = 0; h < hidden; ++h) a[h] = T(slope_of<kAct>(acc(z[h])).value);
    return;
  }
  const T* __restrict up = z + hidden;
  for (int64_t h = 0; h < hidden; ++h) a[h] = T(slope_of<kAct>(acc(z[h])).value * acc(up[h]));
}

constexpr int64_t kLanes = 16;  // partial sums, so that the dot product vectorises

/// Columns h .. h+count-1 of one row; adds to `dot`.
template <class T, Act kAct, bool kGated>
SWITCHYARD_INLINE void backward_lanes(const T* __restrict z, const T* __restrict da, acc_t<T> w,
                                      int64_t hidden, int64_t h, int64_t count, T* __restrict dz,
                                      T* __restrict scaled, acc_t<T>* __restrict dot) {
  using acc = acc_t<T>;
  for (int64_t l = 0; l < count; ++l) {
    const auto f = slope_of<kAct>(acc(z[h + l]));
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
SWITCHYARD_INLINE acc_t<T> backward_columns(const T* __restrict z, const T* __restrict da,
                                            acc_t<T> w, int64_t hidden, T* __restrict dz,
                                            T* __restrict scaled) {
  acc_t<T> dot[kLanes] = {}, sum = 0;
  int64_t h = 0;
  for (; h + kLanes <= hidden; h += kLanes)
    backward_lanes<T, kAct, kGated>(z, da, w, hidden, h, kLanes, dz, scaled, dot);
  backward_lanes<T, kAct, kGated>(z, da, w, hidden, h, hidden - h, dz, scaled, dot);
  for (int64_t l = 0; l < kLanes; ++l) sum += dot[l];
  return sum;
}

template <class T, Act kAct>
struct ForwardRows {
  SWITCHYARD_INLINE static void run(const Activate& p, int64_t begin, int64_t end) {
    std::vector<T> sum(p.bias ? static_cast<size_t>(width_of(p)) : 0);
    for (int64_t r = begin; r < end; ++r)
      forward_row<T, kAct>(biased_row<T>(p, r, sum), p.gated, p.hidden,
                           static_cast<T*>(p.a) + r * p.hidden);
  }
};

template <class T, Act kAct>
struct BackwardRows {
  SWITCHYARD_INLINE static void run(const ActivateBackward& p, int64_t begin, int64_t end) {
    const Activate& f = p.forward;
    std::vector<T> sum(f.bias ? static_cast<size_t>(width_of(f)) : 0);
    for (int64_t r = begin; r < end; ++r) {
      const T *z = biased_row<T>(f, r, sum), *da = static_cast<const T*>(p.da) + r * f.hidden;
      T* dz = static_cast<T*>(p.dz) + r * width_of(f);
      T* scaled = static_cast<T*>(p.scaled) + r * f.hidden;
      const auto w = static_cast<const acc_t<T>*>(p.weight)[f.entry[r]];
      static_cast<acc_t<T>*>(p.dweight)[f.entry[r]] =
          f.gated ? backward_columns<T, kAct, true>(z, da, w, f.hidden, dz, scaled)
                  : backward_columns<T, kAct, false>(z, da, w, f.hidden, dz, scaled);
    }
  }
};

template <template <class, Act> class Rows, class P>
void for_rows(const P& p, const Activate& forward) {
  with_dtype(forward.dtype, [&](auto type) {
    with_act(forward.act, [&](auto act) {
      using T = typename decltype(type)::type;
      run_widest<Rows<T, decltype(act)::value>>(p, forward.rows, grain(forward.hidden));
    });
  });
}

}  // namespace

void activate_cpu(const Activate& p) { for_rows<ForwardRows>(p, p); }
void activate_backward_cpu(const ActivateBackward& p) { for_rows<BackwardRows>(p, p.forward); }

}  // namespace switchyard::kernels
