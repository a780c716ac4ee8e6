#include "domains/diffusion/guidance.h"

#include "core/base/error.h"

namespace switchyard {
namespace {

/// One pass over the images with, without or in both conditions.
at::Tensor run(const ConditionalNetwork& network, const at::Tensor& x_BCSS, double t,
               const std::vector<bool>& nulls) {
  std::vector<at::Tensor> x, null;
  for (const bool none : nulls) {
    x.push_back(x_BCSS);
    null.push_back(at::full({x_BCSS.size(0)}, none, x_BCSS.options().dtype(at::kBool)));
  }
  const auto x_RCSS = at::cat(x);
  const auto out = network(x_RCSS, at::full({x_RCSS.size(0)}, t, x_RCSS.options()), at::cat(null));
  check(out.dim() == 4 && out.size(0) == x_RCSS.size(0) && out.size(1) >= x_RCSS.size(1),
        "guidance", "prediction: got ", to_text(out.sizes().vec()), " for rows of ",
        to_text(x_RCSS.sizes().vec()));
  return out;
}

}  // namespace

int64_t guided_channels(const std::string& rule, int64_t predicted, const at::Tensor& out) {
  if (rule == "all") return out.size(1);
  return rule == "first3" ? std::min<int64_t>(3, predicted) : predicted;
}

at::Tensor guide_halves(const at::Tensor& out, int64_t channels, double scale) {
  const auto half = out.narrow(1, 0, channels).chunk(2);
  const auto guided = half[1] + scale * (half[0] - half[1]);
  return at::cat({at::cat({guided, guided}), out.narrow(1, channels, out.size(1) - channels)}, 1);
}

at::Tensor guided_prediction(const ConditionalNetwork& network, const at::Tensor& x_BCSS, double t,
                             const GuidanceParams& params) {
  const double scale = params.guidance;
  const std::string& rule = params.guidance_rule;
  if (scale == 1 || (rule == "promoe" && scale < 1)) return run(network, x_BCSS, t, {false});
  const bool together = rule == "first3" || rule == "all";
  const auto out =
      together ? run(network, x_BCSS, t, {false, true})
               : at::cat({run(network, x_BCSS, t, {false}), run(network, x_BCSS, t, {true})});
  return guide_halves(out, guided_channels(rule, x_BCSS.size(1), out), scale)
      .narrow(0, 0, x_BCSS.size(0));
}

}  // namespace switchyard
