#include "core/moe/twin.h"

#include <cmath>

#include "core/moe/router.h"

namespace switchyard {
namespace {

double selector_k(const MoEConfig& config) {
  const auto params = parse_params<RouterParams>(config.router, "router");
  const int64_t experts = config.experts.count;
  const auto selector = selectors().make(params.selector, "router.selector", /*channels=*/1,
                                         experts + params.null_slots.count);
  return selector->mean_k() * params.null_slots.routed_share(experts);
}

}  // namespace

MoEConfig twin(const MoEConfig& config, TwinKind kind, std::optional<double> mean_k) {
  if (!config.has_router()) return config;
  MoEConfig dense = config;
  dense.router = ConfigNode(std::string("none"), config.router.origin());
  const ExpertParams& moe = config.experts;
  const double routed = kind == TwinKind::Total ? static_cast<double>(moe.count)
                        : mean_k                ? *mean_k
                                                : selector_k(config);
  const auto shared = static_cast<double>(moe.shared);
  check(moe.hidden || !moe.shared_expert.hidden, "twin",
        "a shared width needs a routed one: got experts.shared_expert.hidden, expected "
        "experts.hidden beside it");
  if (moe.hidden) {
    const auto hidden = static_cast<double>(*moe.hidden);
    dense.experts.hidden = std::llround(routed * hidden) + moe.shared_width(0);
  }
  dense.experts.hidden_mult = (routed + shared) * (moe.is_linear() ? .5 : moe.hidden_mult);
  if (moe.is_linear()) dense.experts.gated = false;
  dense.experts.type = "mlp";
  dense.experts.count = 1;
  dense.experts.shared = 0;
  dense.experts.shared_expert = {};
  return dense;
}

}  // namespace switchyard
