#include "routers/scorers/linear.h"

#include "core/moe/precision.h"

namespace switchyard {

void LinearScorer::Params::declare(Fields<Params>& f) {
  f.add("weight", &Params::weight, "published name of the weight");
  f.add("accumulator", &Params::accumulator, "publish Point-MoE's score_accumulator");
  f.add("init_std", &Params::init_std, "null: uniform, as a linear layer", at_least(0));
}

LinearScorer::LinearScorer(const Params& params, int64_t channels, int64_t experts)
    : weight_EC_(add_parameter(
          params.weight, {experts, channels},
          params.init_std ? Init::normal(*params.init_std) : Init::fan_in(channels))) {
  if (params.accumulator) add_buffer("score_accumulator", at::zeros({experts}, at::kFloat));
}

at::Tensor LinearScorer::forward(const at::Tensor& x_TC, const ForwardContext&) {
  const auto type = score_type(x_TC);
  return at::linear(x_TC.to(type), weight_EC_.to(type));
}

void register_linear_scorer() {
  scorers().add<LinearScorer::Params>(
      "linear", "x W^T, one row per expert, no bias",
      [](const LinearScorer::Params& p, int64_t channels, int64_t experts) {
        return std::make_unique<LinearScorer>(p, channels, experts);
      });
}

}  // namespace switchyard
