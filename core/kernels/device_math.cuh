#pragma once
// Element types of the CUDA kernels. Half types are summed in float.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "core/kernels/launch.h"

namespace switchyard::kernels {

template <class T>
struct Acc {
  using type = float;
};
template <>
struct Acc<double> {
  using type = double;
};
template <class T>
using acc_t = typename Acc<T>::type;

template <class T>
__device__ inline acc_t<T> load(const T* p) {
  return static_cast<acc_t<T>>(*p);
}
template <class T>
__device__ inline void store(T* p, acc_t<T> value) {
  *p = static_cast<T>(value);
}

template <class T>
struct TypeTag {
  using type = T;
};
template <class Run>
void with_dtype(DType dtype, Run&& run) {
  switch (dtype) {
    case DType::Float:
      return run(TypeTag<float>{});
    case DType::Double:
      return run(TypeTag<double>{});
    case DType::BFloat16:
      return run(TypeTag<__nv_bfloat16>{});
    case DType::Half:
      return run(TypeTag<__half>{});
  }
}

constexpr int kThreads = 256;
inline unsigned blocks_for(int64_t items, int64_t per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

}  // namespace switchyard::kernels
