#pragma once
// The scores of one token in registers, and its best ones.

#include <climits>

#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {

/// kLanes lanes share a token (1 or a warp), each with kPer neighbouring columns, the first in the
/// highest lane.
template <int kLanesValue, int kPerValue>
struct Split {
  static constexpr int kLanes = kLanesValue, kPer = kPerValue;
  static constexpr int kThreads = kLanes == 1 ? 512 : kPer <= 8 ? 1024 : 256;
  static constexpr int kBlocks = kLanes == 1 ? 2 : 1;  ///< for a multiprocessor
  static __device__ int lane() { return kLanes == 1 ? 0 : 31 - threadIdx.x % 32; }
  static __device__ int column(int j) { return lane() * kPer + j; }
};

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

  /// Columns beyond the last hold `outside`.
  __device__ void load(const void* rows, int row, T outside, T (&p)[S::kPer]) const {
    const T* from = static_cast<const T*>(rows) + begin(row);
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
  top = of_key(group_max<S>(order_key(top)));
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

template <class T>
using key_t = decltype(order_key(T()));
template <class T>
struct Choice {
  key_t<T> key;
  int column;
};

/// The columns of a token that are not yet taken. Narrow lanes of a warp keep theirs in order.
template <class S, class T>
class Candidates {
 public:
  __device__ Candidates(const T (&score)[S::kPer], const Part<S, T>& part) {
#pragma unroll
    for (int j = 0; j < S::kPer; ++j) {
      key_[j] = part.has(j) ? order_key(score[j]) : 0;
      column_[j] = S::column(j);
    }
    if constexpr (kSorted) sort();
  }

  /// Writes the best one, of equal ones that of the lowest column.
  __device__ void take(Choice<T>* best) {
    auto own = key_[0];
    int column = column_[0];
    if constexpr (!kSorted) {
#pragma unroll
      for (int j = 1; j < S::kPer; ++j) {
        if (key_[j] > own) column = column_[j];
        own = max(own, key_[j]);
      }
    }
    if constexpr (S::kLanes > 1) {
      const auto largest = group_max<S>(own);
      const int winner = 31 - __clz(__ballot_sync(kFullWarp, own == largest));
      if (threadIdx.x % 32 != winner) return;
    }
    *best = {own, column};
    remove(column);
  }

 private:
  static constexpr bool kSorted = S::kLanes > 1 && S::kPer <= 4;

  /// Stable, best first.
  __device__ void sort() {
#pragma unroll
    for (int end = S::kPer - 1; end > 0; --end) {
#pragma unroll
      for (int j = 0; j < end; ++j) {
        const bool swap = key_[j] < key_[j + 1];
        const auto key = key_[j];
        const int column = column_[j];
        key_[j] = swap ? key_[j + 1] : key;
        key_[j + 1] = swap ? key : key_[j + 1];
        column_[j] = swap ? column_[j + 1] : column;
        column_[j + 1] = swap ? column : column_[j + 1];
      }
    }
  }
  __device__ void remove(int column) {
#pragma unroll
    for (int j = 0; j < S::kPer; ++j) {
      if constexpr (kSorted) {
        key_[j] = j + 1 < S::kPer ? key_[j + 1] : 0;
        column_[j] = j + 1 < S::kPer ? column_[j + 1] : -1;
      } else if (column_[j] == column) {
        key_[j] = 0;
      }
    }
  }

  key_t<T> key_[S::kPer];
  int column_[S::kPer];
};

}  // namespace switchyard::kernels
