#pragma once
// Small routers in which a token's number of experts varies.

#include <ATen/core/grad_mode.h>

#include "core/io/json.h"
#include "core/moe/router.h"
#include "routers/register.h"
#include "tests/support/moe.h"

namespace switchyard::test {

inline constexpr int64_t kTokens = 60, kChannels = 6, kExperts = 5;

inline Json topp(double p) { return {{"type", "topp"}, {"p", p}}; }
inline Json topk(int64_t k) { return {{"type", "topk"}, {"k", k}}; }
inline Json router_json(const Json& selector, int64_t nulls = 0, bool keep_share = true) {
  return {{"selector", selector},
          {"weigher", {{"type", "softmax"}, {"singles", true}}},
          {"null_slots", {{"count", nulls}, {"keep_share", keep_share}}}};
}
inline Json with_capacity(Json router, double factor, const std::string& drop = "lowest") {
  router["selection_hooks"] =
      Json::array({{{"type", "capacity"}, {"factor", factor}, {"drop", drop}}});
  return router;
}

inline std::unique_ptr<Router> make_router(const Json& json, at::Device device = at::kCPU) {
  register_routers();
  auto out = std::make_unique<Router>(parse_params<RouterParams>(to_config(json), "router"),
                                      kChannels, kExperts, "site");
  init_parameters(*out, 3);
  out->to(device, at::kDouble);
  const at::NoGradGuard no_grad;
  // Larger logits, so that tokens differ in how sure they are.
  for (ParamView& view : out->views()) view.value().mul_(3);
  return out;
}

inline at::Tensor tokens() { return normal({kTokens, kChannels}, "x"); }

inline RouterOutput route(const Json& json, const at::Tensor& x = tokens(), bool training = false) {
  auto context = one_sequence(x.size(0), training, x.device());
  return make_router(json, x.device())->forward(x, context);
}

/// [T, E] weight of every expert, 0 where it has no entry.
inline at::Tensor dense(const RouterOutput& out) { return dense_weights(out.assignment); }

}  // namespace switchyard::test
