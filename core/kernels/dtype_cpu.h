#pragma once
// Type dispatch of the CPU kernels. Half types are summed in float.

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "core/kernels/launch.h"

namespace switchyard::kernels {

template <class T>
using acc_t = std::conditional_t<std::is_same_v<T, double>, double, float>;
template <class T>
struct TypeTag {
  using type = T;
};

inline int64_t size_of(DType dtype) {
  return dtype == DType::Double ? 8 : dtype == DType::Float ? 4 : 2;
}

template <class Run>
void with_dtype(DType dtype, Run&& run) {
  switch (dtype) {
    case DType::Float:
      return run(TypeTag<float>{});
    case DType::Double:
      return run(TypeTag<double>{});
    case DType::BFloat16:
      return run(TypeTag<c10::BFloat16>{});
    case DType::Half:
      return run(TypeTag<c10::Half>{});
  }
}

}  // namespace switchyard::kernels
