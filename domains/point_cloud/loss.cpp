#include "domains/point_cloud/loss.h"

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "core/base/text.h"

namespace switchyard {
namespace {

void check_labels(const char* where, const at::Tensor& logits_NC, const at::Tensor& label_N,
                  int64_t ignore) {
  check(logits_NC.dim() == 2 && label_N.dim() == 1 && label_N.size(0) == logits_NC.size(0) &&
            label_N.scalar_type() == at::kLong,
        where, "shapes: got logits ", to_text(logits_NC.sizes().vec()), ", labels ",
        to_text(label_N.sizes().vec()), "; expected [N, classes], i64 [N]");
  if (!label_N.is_cpu()) return;
  const auto labels = label_N.contiguous();
  const int64_t* label = labels.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < label_N.size(0); ++i) {
    check(label[i] == ignore || (label[i] >= 0 && label[i] < logits_NC.size(1)), where,
          "label: got ", label[i], ", expected 0 .. ", logits_NC.size(1) - 1, " or ", ignore,
          " (ignored)");
  }
}

/// Gradient of the Jaccard loss over errors sorted from large to small.
at::Tensor jaccard_steps(const at::Tensor& truth_N) {
  const auto hits = truth_N.cumsum(0), misses = (1 - truth_N).cumsum(0);
  const auto total = truth_N.sum();
  const auto jaccard = 1 - (total - hits) / (total + misses);
  return at::cat({jaccard.narrow(0, 0, 1), jaccard.narrow(0, 1, jaccard.size(0) - 1) -
                                               jaccard.narrow(0, 0, jaccard.size(0) - 1)});
}

at::Tensor zero_like(const at::Tensor& logits_NC) { return logits_NC.narrow(0, 0, 0).sum(); }

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits_NC, const at::Tensor& label_N,
                         const CrossEntropyOptions& options) {
  check_labels("cross_entropy", logits_NC, label_N, options.ignore);
  if ((label_N == options.ignore).all().item<bool>()) return zero_like(logits_NC);
  const auto weight = options.class_weight.defined()
                          ? std::optional(options.class_weight.to(logits_NC.options()))
                          : std::nullopt;
  return at::cross_entropy_loss(logits_NC, label_N, weight, at::Reduction::Mean, options.ignore,
                                options.label_smoothing);
}

at::Tensor lovasz_softmax(const at::Tensor& logits_NC, const at::Tensor& label_N, int64_t ignore) {
  check_labels("lovasz_softmax", logits_NC, label_N, ignore);
  const auto valid = (label_N != ignore).nonzero().squeeze(1);
  if (valid.size(0) == 0) return zero_like(logits_NC);
  const auto label = label_N.index_select(0, valid);
  const auto probs = at::softmax(logits_NC.to(at::kDouble).index_select(0, valid), 1);
  std::vector<at::Tensor> terms;
  for (int64_t c = 0; c < logits_NC.size(1); ++c) {
    const auto truth = (label == c).to(at::kDouble);
    if (truth.sum().item<double>() == 0) continue;
    const auto [error, order] =
        (truth - probs.select(1, c)).abs().sort(/*stable=*/true, 0, /*descending=*/true);
    terms.push_back((error * jaccard_steps(truth.index_select(0, order))).sum());
  }
  return at::stack(terms).mean().to(logits_NC.scalar_type());
}

}  // namespace switchyard
