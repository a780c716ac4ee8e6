#include "domains/point_cloud/model/subm_conv_layer.h"

#include "core/base/step_timer.h"
#include "core/kernels/subm_conv.h"
#include "core/moe/precision.h"

namespace switchyard {
namespace {
Init init_of(int64_t in, int64_t k) { return Init::fan_in(k * k * k * in); }
}  // namespace

SubmConv::SubmConv(int64_t in, int64_t out, int64_t k, bool bias, bool fast)
    : fast_(fast), weight_(add_parameter("weight", {out, k, k, k, in}, init_of(in, k))) {
  if (bias) bias_ = &add_parameter("bias", {out}, init_of(in, k));
}

at::Tensor SubmConv::forward(const at::Tensor& x_NC, const at::Tensor& neighbor_NK) const {
  TimedScope scope("submanifold convolution");
  const auto type = compute_type(x_NC);
  const AutocastOff types_are_chosen;
  const auto conv = fast_ ? subm_conv : subm_conv_reference;
  const auto y_NO = conv(x_NC.to(type), weight_.to(type), neighbor_NK);
  return bias_ ? y_NO + bias_->to(type) : y_NO;
}

}  // namespace switchyard
