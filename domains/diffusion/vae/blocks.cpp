#include "domains/diffusion/vae/blocks.h"

namespace switchyard {
namespace {

at::Tensor through(const std::vector<VaeResnet*>& resnets, at::Tensor x) {
  for (const VaeResnet* resnet : resnets) x = resnet->forward(x);
  return x;
}

}  // namespace

VaeMidBlock::VaeMidBlock(int64_t channels, const VaeNorm& norm, bool attention) {
  if (attention) attention_ = &emplace_child<VaeAttention>("attentions.0", channels, norm);
  first_ = &emplace_child<VaeResnet>("resnets.0", channels, channels, norm);
  second_ = &emplace_child<VaeResnet>("resnets.1", channels, channels, norm);
}

at::Tensor VaeMidBlock::forward(const at::Tensor& x_BCHW) const {
  const auto h = first_->forward(x_BCHW);
  return second_->forward(attention_ ? attention_->forward(h) : h);
}

VaeDownBlock::VaeDownBlock(int64_t in, int64_t out, int64_t layers, const VaeNorm& norm,
                           bool downsample) {
  for (int64_t i = 0; i < layers; ++i)
    resnets_.push_back(&emplace_child<VaeResnet>(cat("resnets.", i), i == 0 ? in : out, out, norm));
  if (downsample) downsample_ = &emplace_child<VaeDownsample>("downsamplers.0", out);
}

at::Tensor VaeDownBlock::forward(const at::Tensor& x_BCHW) const {
  const auto h = through(resnets_, x_BCHW);
  return downsample_ ? downsample_->forward(h) : h;
}

VaeUpBlock::VaeUpBlock(int64_t in, int64_t out, int64_t layers, const VaeNorm& norm,
                       bool upsample) {
  for (int64_t i = 0; i < layers; ++i)
    resnets_.push_back(&emplace_child<VaeResnet>(cat("resnets.", i), i == 0 ? in : out, out, norm));
  if (upsample) upsample_ = &emplace_child<VaeUpsample>("upsamplers.0", out);
}

at::Tensor VaeUpBlock::forward(const at::Tensor& x_BCHW) const {
  const auto h = through(resnets_, x_BCHW);
  return upsample_ ? upsample_->forward(h) : h;
}

}  // namespace switchyard
