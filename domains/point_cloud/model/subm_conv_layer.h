#pragma once

#include "core/nn/module.h"

namespace switchyard {

/// Submanifold convolution over a level's voxels, x [N, in] -> [N, out]. Published tensors: weight
/// [out, k, k, k, in], bias [out].
class SubmConv : public Module {
 public:
  /// `fast`: one product per block of voxels; otherwise the reference, one per offset.
  SubmConv(int64_t in, int64_t out, int64_t kernel_size, bool bias, bool fast = true);
  /// `neighbor_NK`: the map of this kernel size, see neighbor_map.h.
  at::Tensor forward(const at::Tensor& x_NC, const at::Tensor& neighbor_NK) const;

 private:
  bool fast_;
  at::Tensor& weight_;
  at::Tensor* bias_ = nullptr;
};

}  // namespace switchyard
