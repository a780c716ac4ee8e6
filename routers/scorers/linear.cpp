#include "routers/scorers/linear.h"

#include "core/moe/precision.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};
}  // namespace

LinearScorer::LinearScorer(int64_t channels, int64_t experts)
    : weight_EC_(add_parameter("weight", {experts, channels}, Init::fan_in(channels))) {
  add_buffer("score_accumulator", at::zeros({experts}, at::kFloat));
}

at::Tensor LinearScorer::forward(const at::Tensor& x_TC, const ForwardContext&) {
  const auto type = score_type(x_TC);
  return at::linear(x_TC.to(type), weight_EC_.to(type));
}

void register_linear_scorer() {
  scorers().add<Params>("linear", "x W^T, one row per expert, no bias",
                        [](const Params&, int64_t channels, int64_t experts) {
                          return std::make_unique<LinearScorer>(channels, experts);
                        });
}

}  // namespace switchyard
