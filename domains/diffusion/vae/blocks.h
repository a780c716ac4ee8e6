#pragma once
// One level of the encoder or decoder, and what stands between the two.

#include "domains/diffusion/vae/attention.h"
#include "domains/diffusion/vae/resample.h"
#include "domains/diffusion/vae/resnet.h"

namespace switchyard {

/// resnet, attention where wanted, resnet; all of one width. Published: attentions.0,
/// resnets.{0,1}.
class VaeMidBlock : public Module {
 public:
  VaeMidBlock(int64_t channels, const VaeNorm& norm, bool attention);
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  VaeAttention* attention_ = nullptr;
  VaeResnet *first_, *second_;
};

/// `layers` resnets, the first of which changes the width; then the side is halved where wanted.
/// Published: resnets.<i>, downsamplers.0.
class VaeDownBlock : public Module {
 public:
  VaeDownBlock(int64_t in, int64_t out, int64_t layers, const VaeNorm& norm, bool downsample);
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  std::vector<VaeResnet*> resnets_;
  VaeDownsample* downsample_ = nullptr;
};

/// The same with the side doubled. Published: resnets.<i>, upsamplers.0.
class VaeUpBlock : public Module {
 public:
  VaeUpBlock(int64_t in, int64_t out, int64_t layers, const VaeNorm& norm, bool upsample);
  at::Tensor forward(const at::Tensor& x_BCHW) const;

 private:
  std::vector<VaeResnet*> resnets_;
  VaeUpsample* upsample_ = nullptr;
};

}  // namespace switchyard
