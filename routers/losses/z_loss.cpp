#include "routers/losses/z_loss.h"

#include <ATen/ops/logsumexp.h>

namespace switchyard {
namespace {
struct Params {
  double alpha = 0.001;
  static void declare(Fields<Params>& f) {
    f.add("alpha", &Params::alpha, "coefficient", at_least(0));
  }
};
}  // namespace

at::Tensor ZLoss::loss(const RouterOutput& output, const ForwardContext& context,
                       const std::string&) {
  const auto square_T = at::logsumexp(output.logits_TE, 1).square();
  const auto& valid = context.level().valid;
  const auto kept_T =
      valid.defined() ? square_T.index_select(0, valid.nonzero().view(-1)) : square_T;
  return (kept_T.size(0) > 0 ? kept_T.mean() : square_T.sum() * 0) * alpha_;
}

void register_z_loss() {
  router_losses().add<Params>("z", "mean squared log-sum-exp of the logits",
                              [](const Params& p) { return std::make_unique<ZLoss>(p.alpha); });
}

}  // namespace switchyard
