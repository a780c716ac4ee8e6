#include "routers/weighers/pointwise.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};
}  // namespace

at::Tensor PointwiseWeigher::scores(const at::Tensor& logits_TE, const ForwardContext&) {
  return sigmoid_ ? logits_TE.sigmoid() : logits_TE;
}

at::Tensor PointwiseWeigher::weights(const at::Tensor& scores_TE, const Selection& selection) {
  return chosen(scores_TE, selection);
}

void register_pointwise_weighers() {
  weighers().add<Params>("identity", "the logits themselves",
                         [](const Params&) { return std::make_unique<PointwiseWeigher>(false); });
  weighers().add<Params>("sigmoid", "every slot on its own",
                         [](const Params&) { return std::make_unique<PointwiseWeigher>(true); });
}

}  // namespace switchyard
