#pragma once
// Losses of semantic segmentation over points.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// Which labels count, and how much.
struct CrossEntropyOptions {
  int64_t ignore = -1;
  double label_smoothing = 0;
  at::Tensor class_weight;  ///< [classes] or undefined
};

/// Mean over the labelled points (weighted by class as in PyTorch). logits [N, classes], label [N]
/// i64. All labels ignored: 0 with zero gradient. Errors: shapes, labels outside 0 .. classes-1
/// (CPU).
at::Tensor cross_entropy(const at::Tensor& logits_NC, const at::Tensor& label_N,
                         const CrossEntropyOptions& options = {});

/// Lovasz-softmax (Berman et al. 2018, algorithm 1) averaged over the classes present, computed in
/// double, returned in the type of `logits`. All labels ignored: 0 with zero gradient. Errors as
/// above.
at::Tensor lovasz_softmax(const at::Tensor& logits_NC, const at::Tensor& label_N,
                          int64_t ignore = -1);

}  // namespace switchyard
