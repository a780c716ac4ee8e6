#include "eval/metrics/confusion.h"

#include "core/base/text.h"

namespace switchyard {
namespace {

constexpr double kEpsilon = 1e-10;

at::Tensor ratio(const at::Tensor& part, const at::Tensor& whole) {
  return part.to(at::kDouble) / (whole.to(at::kDouble) + kEpsilon);
}

ClassCounts zero_counts(int64_t classes) {
  const auto zero = [&] { return at::zeros({classes}, at::kLong); };
  return {zero(), zero(), zero()};
}

}  // namespace

Confusion::Confusion(int64_t classes, int64_t ignore)
    : classes_(classes), ignore_(ignore), total_(zero_counts(classes)) {
  check(classes >= 1, "confusion", "classes: got ", classes, ", expected at least 1");
}

ClassCounts Confusion::add(const at::Tensor& pred_N, const at::Tensor& target_N) {
  check(pred_N.dim() == 1 && pred_N.sizes() == target_N.sizes() &&
            pred_N.scalar_type() == at::kLong && target_N.scalar_type() == at::kLong,
        "confusion", "shapes: got ", to_text(pred_N.sizes().vec()), " and ",
        to_text(target_N.sizes().vec()), ", expected two i64 [N]");
  const auto pred_c = pred_N.cpu().contiguous(), target_c = target_N.cpu().contiguous();
  const int64_t *pred = pred_c.const_data_ptr<int64_t>(),
                *target = target_c.const_data_ptr<int64_t>();
  ClassCounts counts = zero_counts(classes_);
  int64_t* hit = counts.intersection.data_ptr<int64_t>();
  int64_t* either = counts.union_of.data_ptr<int64_t>();
  int64_t* truth = counts.target.data_ptr<int64_t>();
  for (int64_t i = 0; i < pred_c.size(0); ++i) {
    if (target[i] == ignore_) continue;
    check(target[i] >= 0 && target[i] < classes_ && pred[i] >= 0 && pred[i] < classes_, "confusion",
          "class: got ", pred[i], " for ", target[i], ", expected 0 .. ", classes_ - 1);
    ++truth[target[i]];
    ++either[target[i]];
    ++(pred[i] == target[i] ? hit : either)[pred[i]];
  }
  total_.intersection += counts.intersection;
  total_.union_of += counts.union_of;
  total_.target += counts.target;
  return counts;
}

at::Tensor Confusion::iou() const { return ratio(total_.intersection, total_.union_of); }
at::Tensor Confusion::accuracy() const { return ratio(total_.intersection, total_.target); }
double Confusion::mean_iou() const { return iou().mean().item<double>(); }
double Confusion::mean_accuracy() const { return accuracy().mean().item<double>(); }
double Confusion::overall_accuracy() const {
  return ratio(total_.intersection.sum(), total_.target.sum()).item<double>();
}

}  // namespace switchyard
