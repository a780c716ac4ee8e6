#include "core/nn/norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/layer_norm.h>

namespace switchyard {
namespace {

std::optional<at::Tensor> given(const at::Tensor* t) {
  return t ? std::optional(*t) : std::nullopt;
}

}  // namespace

BatchNorm::BatchNorm(int64_t channels, double eps, double momentum, bool affine)
    : eps_(eps), momentum_(momentum) {
  if (affine) {
    weight_ = &add_parameter("weight", {channels}, Init::constant(1));
    bias_ = &add_parameter("bias", {channels}, Init::constant(0));
  }
  running_mean_ = &add_buffer("running_mean", at::zeros({channels}));
  running_var_ = &add_buffer("running_var", at::ones({channels}));
  num_batches_tracked_ = &add_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor BatchNorm::forward(const at::Tensor& x_NC) {
  if (training()) num_batches_tracked_->add_(1);
  return at::batch_norm(x_NC, given(weight_), given(bias_), *running_mean_, *running_var_,
                        training(), momentum_, eps_, /*cudnn_enabled=*/false);
}

LayerNorm::LayerNorm(int64_t channels, double eps, bool affine) : eps_(eps) {
  if (!affine) return;
  weight_ = &add_parameter("weight", {channels}, Init::constant(1));
  bias_ = &add_parameter("bias", {channels}, Init::constant(0));
}

at::Tensor LayerNorm::forward(const at::Tensor& x) {
  return at::layer_norm(x, {x.size(-1)}, given(weight_), given(bias_), eps_);
}

}  // namespace switchyard
