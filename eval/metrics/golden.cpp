#include "eval/metrics/golden.h"

#include "core/golden/golden.h"
#include "eval/metrics/confusion.h"

namespace switchyard {
namespace {

at::Tensor number(double value) { return at::scalar_tensor(value, at::kDouble); }

void run_metrics(const GoldenCase& c, GoldenResult& result) {
  Confusion confusion(c.config.at("num_classes").get<int64_t>(),
                      c.config.at("ignore_index").get<int64_t>());
  const auto offset = c.input("offset"), pred = c.input("pred"), target = c.input("target");
  std::vector<at::Tensor> hit, either, truth;
  int64_t begin = 0;
  for (int64_t b = 0; b < offset.size(0); ++b) {
    const int64_t end = offset[b].item<int64_t>();
    const auto counts = confusion.add(pred.slice(0, begin, end), target.slice(0, begin, end));
    hit.push_back(counts.intersection);
    either.push_back(counts.union_of);
    truth.push_back(counts.target);
    begin = end;
  }
  result.compare("outputs/cloud_intersection", at::stack(hit));
  result.compare("outputs/cloud_union", at::stack(either));
  result.compare("outputs/cloud_target", at::stack(truth));
  result.compare("outputs/intersection", confusion.total().intersection);
  result.compare("outputs/union", confusion.total().union_of);
  result.compare("outputs/target", confusion.total().target);
  result.compare("outputs/iou", confusion.iou());
  result.compare("outputs/acc", confusion.accuracy());
  result.compare("outputs/miou", number(confusion.mean_iou()));
  result.compare("outputs/macc", number(confusion.mean_accuracy()));
  result.compare("outputs/allacc", number(confusion.overall_accuracy()));
}

}  // namespace

void register_metric_golden() {
  [[maybe_unused]] static const bool once = [] {
    register_golden_kind("point_moe", "metrics", run_metrics);
    register_generative_golden();
    return true;
  }();
}

}  // namespace switchyard
