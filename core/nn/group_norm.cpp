#include "core/nn/group_norm.h"

#include <ATen/ops/group_norm.h>

namespace switchyard {

GroupNorm::GroupNorm(int64_t groups, int64_t channels, double eps)
    : groups_(groups),
      eps_(eps),
      weight_(add_parameter("weight", {channels}, Init::constant(1))),
      bias_(add_parameter("bias", {channels}, Init::constant(0))) {
  check(groups > 0 && channels % groups == 0, "group norm", "groups: got ", groups,
        ", expected a divisor of ", channels, " channels");
}

at::Tensor GroupNorm::forward(const at::Tensor& x_BC) const {
  return at::group_norm(x_BC, groups_, weight_, bias_, eps_);
}

}  // namespace switchyard
