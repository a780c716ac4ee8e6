#include "core/nn/norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/layer_norm.h>

namespace switchyard {

BatchNorm::BatchNorm(int64_t channels, double eps, double momentum)
    : weight_(add_parameter("weight", {channels}, Init::constant(1))),
      bias_(add_parameter("bias", {channels}, Init::constant(0))),
      running_mean_(add_buffer("running_mean", at::zeros({channels}))),
      running_var_(add_buffer("running_var", at::ones({channels}))),
      num_batches_tracked_(add_buffer("num_batches_tracked", at::zeros({}, at::kLong))),
      eps_(eps),
      momentum_(momentum) {}

at::Tensor BatchNorm::forward(const at::Tensor& x_NC) {
  if (training()) num_batches_tracked_.add_(1);
  return at::batch_norm(x_NC, weight_, bias_, running_mean_, running_var_, training(), momentum_,
                        eps_,
                        /*cudnn_enabled=*/false);
}

LayerNorm::LayerNorm(int64_t channels, double eps)
    : weight_(add_parameter("weight", {channels}, Init::constant(1))),
      bias_(add_parameter("bias", {channels}, Init::constant(0))),
      eps_(eps) {}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, eps_);
}

}  // namespace switchyard
