#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace switchyard {

/// While alive, autocast leaves every op alone on this thread.
class AutocastOff {
 public:
  AutocastOff();

 private:
  c10::impl::ExcludeDispatchKeyGuard guard_;
};

/// The autocast type where autocast is on for the device of `x` and x is floating, else x's own
/// type.
at::ScalarType compute_type(const at::Tensor& x);
/// max(float, type of x): half types go up to float, double stays double.
at::ScalarType score_type(const at::Tensor& x);

}  // namespace switchyard
