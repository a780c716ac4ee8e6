#include "eval/metrics/inception_score.h"

#include <ATen/ops/xlogy.h>

#include "core/base/error.h"
#include "eval/metrics/features.h"

namespace switchyard {
namespace {

constexpr char kWhere[] = "inception score";

at::Tensor score_of(const at::Tensor& p_NK) {
  const at::Tensor marginal_K = p_NK.mean(0, /*keepdim=*/true);
  return (at::xlogy(p_NK, p_NK) - at::xlogy(p_NK, marginal_K)).sum(1).mean().exp();
}

}  // namespace

std::vector<int64_t> chunk_boundaries(int64_t n, int64_t size) {
  check(n >= 1 && size >= 1, kWhere, "got ", n, " samples in chunks of ", size,
        ", expected at least 1");
  std::vector<int64_t> out;
  for (int64_t begin = 0; begin < n; begin += size) out.push_back(begin);
  out.push_back(n);
  return out;
}

std::vector<int64_t> split_boundaries(int64_t n, int64_t splits) {
  check(splits >= 1 && splits <= n, kWhere, "splits: got ", splits, ", expected 1 to ", n,
        " (the number of samples)");
  std::vector<int64_t> out;
  for (int64_t i = 0; i <= splits; ++i) out.push_back(i * n / splits);
  return out;
}

at::Tensor inception_scores(const at::Tensor& logits_NK, const std::vector<int64_t>& boundaries) {
  const at::Tensor p_NK = feature_rows(logits_NK, kWhere).softmax(1);
  check(boundaries.size() >= 2 && boundaries.front() == 0 && boundaries.back() == p_NK.size(0),
        kWhere, "boundaries: got ", to_text(boundaries), ", expected 0 to ", p_NK.size(0));
  std::vector<at::Tensor> scores;
  for (size_t s = 1; s < boundaries.size(); ++s) {
    check(boundaries[s] > boundaries[s - 1], kWhere, "boundaries: got ", to_text(boundaries),
          ", expected rising ones");
    scores.push_back(score_of(p_NK.slice(0, boundaries[s - 1], boundaries[s])));
  }
  return at::stack(scores);
}

}  // namespace switchyard
