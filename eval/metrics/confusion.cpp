#include "eval/metrics/confusion.h"

namespace switchyard {

Confusion count_confusion(const at::Tensor& predicted, const at::Tensor& label, int64_t classes, int64_t ignore) {
  const at::Tensor p = predicted.to(at::kLong).contiguous(), l = label.to(at::kLong).contiguous();
  check(p.sizes() == l.sizes(), "confusion", "predictions and labels differ in length: got ", p.numel(), " and ", l.numel());
  const auto k = static_cast<size_t>(classes);
  Confusion out{std::vector<int64_t>(k), std::vector<int64_t>(k), std::vector<int64_t>(k)};
  std::vector<int64_t> output(k);
  for (int64_t i = 0; i < p.numel(); ++i) {
    const int64_t got = p.data_ptr<int64_t>()[i], want = l.data_ptr<int64_t>()[i];
    if (want == ignore) continue;
    check(want >= 0 && want < classes && got >= 0 && got < classes, "confusion", "class out of range: got label ", want,
          " and prediction ", got, ", expected 0 to ", classes - 1);
    ++out.target[size_t(want)];
    ++output[size_t(got)];
    if (got == want) ++out.intersection[size_t(got)];
  }
  for (size_t c = 0; c < k; ++c) out.union_[c] = output[c] + out.target[c] - out.intersection[c];
  return out;
}

SegmentationScores segmentation_scores(const Confusion& sums) {
  constexpr double kEps = 1e-10;
  SegmentationScores out;
  double hits = 0, total = 0;
  for (size_t c = 0; c < sums.target.size(); ++c) {
    const double n = static_cast<double>(sums.intersection[c]);
    out.iou.push_back(n / (static_cast<double>(sums.union_[c]) + kEps));
    out.accuracy.push_back(n / (static_cast<double>(sums.target[c]) + kEps));
    out.miou += out.iou.back() / static_cast<double>(sums.target.size());
    out.mean_accuracy += out.accuracy.back() / static_cast<double>(sums.target.size());
    hits += n;
    total += static_cast<double>(sums.target[c]);
  }
  out.overall_accuracy = hits / (total + kEps);
  return out;
}

}  // namespace switchyard
