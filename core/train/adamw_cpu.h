#pragma once

#include <cstdint>

namespace switchyard {

/// Constants of one AdamW update of one tensor; bias corrections already folded in.
struct AdamWStep {
  double keep;  ///< 1 - lr * weight_decay
  double beta1, beta2, eps;
  double step_size;   ///< lr / (1 - beta1^t)
  double root_bias2;  ///< sqrt(1 - beta2^t)
  double grad_factor;
};

/// parameter, exp_avg, exp_avg_sq [n] are updated from grad [n] in one pass. T: float or double.
template <class T>
void adamw_update(T* parameter, const T* grad, T* exp_avg, T* exp_avg_sq, int64_t n,
                  const AdamWStep& step);

/// Sum of squares in double; fixed blocks, so equal for any thread count.
template <class T>
double sum_of_squares(const T* values, int64_t n);

}  // namespace switchyard
