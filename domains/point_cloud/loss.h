#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

struct CrossEntropyOptions {
  at::Tensor weight = {};  ///< [classes] or undefined
  double label_smoothing = 0;
  int64_t ignore = -1;
};

/// Mean over labelled rows (weighted mean with weights), as torch's cross_entropy. All rows ignored: 0
/// with zero gradient. logits [N, K], label [N] i64.
at::Tensor cross_entropy(const at::Tensor& logits_NK, const at::Tensor& label_N, const CrossEntropyOptions& options = {});

/// Lovasz-softmax (Berman et al. 2018), mean over the classes present in the labels. All rows ignored:
/// 0 with zero gradient.
at::Tensor lovasz_softmax(const at::Tensor& logits_NK, const at::Tensor& label_N, int64_t ignore = -1);

}  // namespace switchyard
