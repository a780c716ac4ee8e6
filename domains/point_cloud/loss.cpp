#include "domains/point_cloud/loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sort.h>

namespace switchyard {
namespace {

/// Discrete differences of the Jaccard loss along rising rank; `foreground` sorted by falling error.
at::Tensor lovasz_weights(const at::Tensor& foreground) {
  const at::Tensor total = foreground.sum();
  const at::Tensor intersection = total - foreground.cumsum(0);
  const at::Tensor united = total + (1 - foreground).cumsum(0);
  const at::Tensor jaccard = 1 - intersection / united;
  return at::cat({jaccard.slice(0, 0, 1), jaccard.slice(0, 1) - jaccard.slice(0, 0, -1)});
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits_NK, const at::Tensor& label_N, const CrossEntropyOptions& options) {
  if (!(label_N != options.ignore).any().item<bool>()) return logits_NK.sum() * 0;
  return at::cross_entropy_loss(logits_NK, label_N, options.weight, /*reduction=mean*/ 1, options.ignore,
                                options.label_smoothing);
}

at::Tensor lovasz_softmax(const at::Tensor& logits_NK, const at::Tensor& label_N, int64_t ignore) {
  const at::Tensor kept = at::nonzero(label_N != ignore).squeeze(1);
  if (kept.numel() == 0) return logits_NK.sum() * 0;
  const at::Tensor probability = logits_NK.softmax(-1).index_select(0, kept);
  const at::Tensor label = label_N.index_select(0, kept);
  std::vector<at::Tensor> losses;
  for (int64_t c = 0; c < logits_NK.size(1); ++c) {
    const at::Tensor foreground = (label == c).to(probability.scalar_type());
    if (foreground.sum().item<double>() == 0) continue;
    const auto [error, order] = (foreground - probability.select(1, c)).abs().sort(0, /*descending=*/true);
    losses.push_back(error.dot(lovasz_weights(foreground.index_select(0, order))));
  }
  return at::stack(losses).mean();
}

}  // namespace switchyard
