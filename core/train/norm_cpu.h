#pragma once

#include <cstdint>

namespace switchyard {

/// Sum of squares in double; fixed blocks and lanes, so equal for any thread count. T: float or
/// double.
template <class T>
double sum_of_squares(const T* values, int64_t n);

}  // namespace switchyard
