#include "core/moe/precision.h"

#include <ATen/autocast_mode.h>

namespace switchyard {

AutocastOff::AutocastOff() : guard_(c10::autocast_dispatch_keyset) {}

at::ScalarType compute_type(const at::Tensor& x) {
  const auto device = x.device().type();
  const bool cast = x.scalar_type() == at::kFloat && at::autocast::is_autocast_enabled(device);
  return cast ? at::autocast::get_autocast_dtype(device) : x.scalar_type();
}

at::ScalarType score_type(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace switchyard
