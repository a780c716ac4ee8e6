#pragma once
// The scores of one token in registers, and its best ones.

#include <climits>
#include <type_traits>

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

/// kLanes lanes share a token (1 or a warp), each with kPer neighbouring columns, the first in the
/// highest lane.
template <int kLanesValue, int kPerValue>
struct Split {
  static constexpr int kLanes = kLanesValue, kPer = kPerValue;
  static constexpr int kThreads = kLanes == 1 ? 512 : kPer <= 8 ? 1024 : 256;
  /// Blocks of float for a multiprocessor; of warps: one beside one of the next kernel.
  static constexpr int kBlocks = kLanes == 1 || kPer <= 4 ? 2 : 1;
  static __device__ int lane() { return kLanes == 1 ? 0 : 31 - threadIdx.x % 32; }
  static __device__ int column(int j) { return lane() * kPer + j; }
};

/// Registers are for that many blocks of a multiprocessor.
template <class S, class T>
constexpr int kResident = std::is_same_v<T, float> ? S::kBlocks : 1;

// Keys that order as scores do: absent (0) < NaN (1) < -inf < ... < inf; both zeros are equal.
__device__ inline unsigned order_key(float x) {
  const unsigned bits = __float_as_uint(x + 0.f);
  return isnan(x) ? 1 : bits ^ (static_cast<unsigned>(static_cast<int>(bits) >> 31) | 1u << 31);
}
__device__ inline unsigned long long order_key(double x) {
  const long long bits = __double_as_longlong(x + 0.);
  return isnan(x) ? 1 : static_cast<unsigned long long>(bits ^ (bits >> 63 | LLONG_MIN));
}
__device__ inline float of_key(unsigned key) {
  const unsigned bits = key >> 31 ? key ^ 1u << 31 : ~key;
  return key == 1 ? NAN : __uint_as_float(bits);
}
__device__ inline double of_key(unsigned long long key) {
  const unsigned long long bits = key >> 63 ? key ^ 1ull << 63 : ~key;
  return key == 1 ? NAN : __longlong_as_double(static_cast<long long>(bits));
}

template <class S, class T>
__device__ T group_sum(T x) {
  if constexpr (S::kLanes > 1)
    for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(kFullWarp, x, step);
  return x;
}
template <class S>
__device__ unsigned group_max(unsigned key) {
  return S::kLanes == 1 ? key : __reduce_max_sync(kFullWarp, key);
}
template <class S>
__device__ unsigned long long group_max(unsigned long long key) {
  if constexpr (S::kLanes > 1)
    for (int step = 16; step > 0; step /= 2) key = max(key, __shfl_xor_sync(kFullWarp, key, step));
  return key;
}

/// The largest x; where a lane has NaN, that may be it.
template <class S>
__device__ float group_top(float x) {
  if constexpr (S::kLanes == 1) return x;
  const auto ordered = [](int bits) { return bits ^ (bits >> 31 & INT_MAX); };  // its own inverse
  return __int_as_float(ordered(__reduce_max_sync(kFullWarp, ordered(__float_as_int(x)))));
}
template <class S>
__device__ double group_top(double x) {
  if constexpr (S::kLanes > 1)
    for (int step = 16; step > 0; step /= 2) x = max(x, __shfl_xor_sync(kFullWarp, x, step));
  return x;
}

template <int kPer, class T>
__device__ void copy(const T (&from)[kPer], T (&to)[kPer]) {
#pragma unroll
  for (int j = 0; j < kPer; ++j) to[j] = from[j];
}

/// A lane's part of rows of `columns` values; 16 bytes are moved at once where all rows allow it.
template <class S, class T>
class Part {
 public:
  __device__ Part(int columns, const void* rows, const void* more)
      : columns_(columns), left_(columns - S::column(0)) {
    const auto bits = reinterpret_cast<uintptr_t>(rows) | reinterpret_cast<uintptr_t>(more);
    packs_ = (bits | columns * sizeof(T)) % sizeof(Unit) == 0;
  }

  /// Where the lane's part of a row begins.
  __device__ const T* at(const void* rows, int row) const {
    return static_cast<const T*>(rows) + begin(row);
  }
  /// Columns beyond the last hold `outside`.
  __device__ void load(const T* from, T outside, T (&p)[S::kPer]) const {
#pragma unroll
    for (int j = 0; j < S::kPer; ++j) p[j] = outside;
    if (packs_) {
#pragma unroll
      for (int j = 0; j < S::kPer; j += kN)
        if (j < left_) *reinterpret_cast<Unit*>(p + j) = *reinterpret_cast<const Unit*>(from + j);
    } else {
#pragma unroll
      for (int j = 0; j < S::kPer; ++j)
        if (j < left_) p[j] = from[j];
    }
  }
  __device__ void store(void* rows, int row, const T (&p)[S::kPer]) const {
    T* to = static_cast<T*>(rows) + begin(row);
    if (packs_) {
#pragma unroll
      for (int j = 0; j < S::kPer; j += kN)
        if (j < left_) *reinterpret_cast<Unit*>(to + j) = *reinterpret_cast<const Unit*>(p + j);
    } else {
#pragma unroll
      for (int j = 0; j < S::kPer; ++j)
        if (j < left_) to[j] = p[j];
    }
  }
  __device__ int columns() const { return columns_; }
  /// True where column j of the lane is there.
  __device__ bool has(int j) const { return j < left_; }

 private:
  static constexpr int kN = kPack<T> < S::kPer ? kPack<T> : S::kPer;
  using Unit = Pack<T, kN>;
  __device__ uint64_t begin(int row) const {
    return static_cast<uint64_t>(static_cast<unsigned>(row)) * static_cast<unsigned>(columns_) +
           static_cast<unsigned>(S::column(0));
  }

  int columns_, left_;
  bool packs_;
};

/// Absent columns: -inf.
template <class S, class T>
__device__ void softmax(T (&p)[S::kPer]) {
  T top = p[0], sum = 0;
#pragma unroll
  for (int j = 1; j < S::kPer; ++j) top = max(top, p[j]);
  top = group_top<S>(top);
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) sum += p[j] = exp(p[j] - top);
  const T scale = T(1) / group_sum<S>(sum);
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) p[j] *= scale;
}

/// Logits become scores in place.
template <class S, class T>
__device__ void to_scores(ScoreKind kind, T (&p)[S::kPer]) {
  if (kind == ScoreKind::Softmax) softmax<S>(p);
  if (kind != ScoreKind::Sigmoid) return;
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) p[j] = T(1) / (T(1) + exp(-p[j]));
}

/// The gradient of scores becomes that of the logits in place.
template <class S, class T>
__device__ void through_scores(ScoreKind kind, const T (&score)[S::kPer], T (&d)[S::kPer]) {
  T dot = 0;
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) dot += score[j] * d[j];
  dot = group_sum<S>(dot);
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) {
    if (kind == ScoreKind::Softmax) d[j] = score[j] * (d[j] - dot);
    if (kind == ScoreKind::Sigmoid) d[j] *= score[j] * (T(1) - score[j]);
  }
}

/// Calls run(Split, type) for the narrowest split that holds `columns`.
template <class Run>
void with_split(int64_t columns, DType dtype, Run&& run) {
  const auto typed = [&](auto split) {
    dtype == DType::Double ? run(split, TypeTag<double>{}) : run(split, TypeTag<float>{});
  };
  static_assert(kRouteThreadColumns == 16);
  if (columns <= 8) return typed(Split<1, 8>{});
  if (columns <= 16) return typed(Split<1, 16>{});
  if (columns <= 64) return typed(Split<32, 2>{});
  if (columns <= 128) return typed(Split<32, 4>{});
  if (columns <= 256) return typed(Split<32, 8>{});
  typed(Split<32, 32>{});
}

template <class T>
using key_t = decltype(order_key(T()));
template <class T>
struct Choice {
  key_t<T> key;
  int column;
};

/// Keys of a lane's columns; absent columns: 0.
template <class S, class T>
__device__ void to_keys(const T (&score)[S::kPer], const Part<S, T>& part,
                        key_t<T> (&key)[S::kPer]) {
#pragma unroll
  for (int j = 0; j < S::kPer; ++j) key[j] = part.has(j) ? order_key(score[j]) : 0;
}
/// True in the one lane whose own key is the largest, of equal ones that of the lowest column.
template <class S, class K>
__device__ bool wins(K own, K largest) {
  if constexpr (S::kLanes == 1) return true;
  return threadIdx.x % 32 == 31 - __clz(__ballot_sync(kFullWarp, own == largest));
}

/// The columns of a token that are not yet taken.
template <class S, class T>
class OpenColumns {
 public:
  __device__ OpenColumns(const T (&score)[S::kPer], const Part<S, T>& part) {
    to_keys<S>(score, part, key_);
  }

  /// Writes the best one, of equal ones that of the lowest column; its key.
  __device__ key_t<T> take(Choice<T>* best) {
    auto own = key_[0];
    int column = 0;
#pragma unroll
    for (int j = 1; j < S::kPer; ++j) {
      if (key_[j] > own) column = j;
      own = max(own, key_[j]);
    }
    const auto largest = group_max<S>(own);
    if (!wins<S>(own, largest)) return largest;
    *best = {own, S::column(column)};
#pragma unroll
    for (int j = 0; j < S::kPer; ++j)
      if (j == column) key_[j] = 0;
    return largest;
  }

 private:
  key_t<T> key_[S::kPer];
};

/// The same for at most four columns a lane and 256 in all, in order in each lane: taking is cheap.
template <class S, class T>
class SortedColumns {
 public:
  __device__ SortedColumns(const T (&score)[S::kPer], const Part<S, T>& part)
      : columns_(S::column(0) * 0x01010101u + 0x03020100u) {
    to_keys<S>(score, part, key_);
#pragma unroll
    for (int end = S::kPer - 1; end > 0; --end) {
#pragma unroll
      for (int j = 0; j < end; ++j) {
        const bool swap = key_[j] < key_[j + 1];
        const unsigned order = 0x3210 - (0xf << 4 * j);  // bytes j and j + 1 change places
        const auto key = min(key_[j], key_[j + 1]);
        key_[j] = max(key_[j], key_[j + 1]);
        key_[j + 1] = key;
        columns_ = __byte_perm(columns_, 0, swap ? order : 0x3210);
      }
    }
  }

  __device__ key_t<T> take(Choice<T>* best) {
    const auto own = key_[0], largest = group_max<S>(own);
    if (!wins<S>(own, largest)) return largest;
    *best = {own, static_cast<int>(columns_ & 0xff)};
#pragma unroll
    for (int j = 0; j + 1 < S::kPer; ++j) key_[j] = key_[j + 1];
    key_[S::kPer - 1] = 0;
    columns_ >>= 8;
    return largest;
  }

 private:
  key_t<T> key_[S::kPer];
  unsigned columns_;  // of each key a byte
};

template <class S>
constexpr bool kSortsColumns = S::kLanes > 1 && S::kPer <= 4;
template <class S, class T>
using Candidates = std::conditional_t<kSortsColumns<S>, SortedColumns<S, T>, OpenColumns<S, T>>;

}  // namespace switchyard::kernels
