#pragma once

#include "core/nn/module.h"
#include "domains/point_cloud/model/point_level.h"

namespace switchyard {

/// Submanifold convolution over a level's voxels, x [N, in] -> [N, out]. Published tensors: weight
/// [out, k, k, k, in], bias [out].
class SubmConv : public Module {
 public:
  SubmConv(int64_t in, int64_t out, int64_t kernel_size, bool bias);
  at::Tensor forward(const at::Tensor& x_NC, PointLevel& level) const;

 private:
  int64_t kernel_size_;
  at::Tensor& weight_;
  at::Tensor* bias_ = nullptr;
};

}  // namespace switchyard
