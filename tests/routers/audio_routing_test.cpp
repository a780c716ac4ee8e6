// Top-p, null slots, padding and capacity against the decisions of UniMoE-Audio's router.

#include "tests/routers/sparse_router.h"
#include "tests/test.h"

#include <ATen/ops/softmax.h>

#include "core/io/safetensors.h"
#include "routers/selectors/topk.h"
#include "routers/selectors/topp.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// [T, columns] i64: 1 where a slot is among the choices.
at::Tensor mask_of(const at::Tensor& chosen_TK, int64_t columns) {
  const auto column_TK = chosen_TK.masked_fill(chosen_TK < 0, columns);
  return at::zeros({chosen_TK.size(0), columns + 1}, at::kLong)
      .scatter_(1, column_TK, 1)
      .narrow(1, 0, columns);
}

std::unique_ptr<Selector> selector_of(const Json& config, int64_t columns) {
  const double p = config.at("mlp_dynamic_top_p");
  if (p == 0) return std::make_unique<TopKSelector>(config.at("mlp_dynamic_top_k").get<int64_t>());
  return std::make_unique<TopPSelector>(TopPSelector::Params{p, {}, {}}, columns);
}

/// A case of given logits.
void check_choices(const std::filesystem::path& path) {
  const auto file = SafeTensors::open(path);
  const Json config = parse_json(file.metadata("config"), "config");
  const int64_t columns = config.at("dynamic_columns");
  const auto logits = file.get("inputs/logits").to(at::kDouble).narrow(1, 0, columns);
  const auto chosen_TK =
      padded_slots(selector_of(config, columns)->select({{}, at::softmax(logits, 1)}, {}));
  CHECK(at::equal((chosen_TK >= 0).sum(1), file.get("outputs/k")));
  CHECK(at::equal(mask_of(chosen_TK, columns),
                  file.get("outputs/expert_mask").narrow(1, 0, columns)));
}

/// The router of a case of the whole block, without its shared experts.
Json router_of(const Json& config) {
  const double p = config.at("mlp_dynamic_top_p");
  auto json = router_json(p == 0 ? topk(config.at("mlp_dynamic_top_k")) : topp(p),
                          config.at("mlp_dynamic_null_expert_num"),
                          !config.at("toggles").at("null_redistribution").get<bool>());
  if (config.at("token_drop").get<bool>())
    json["selection_hooks"] =
        Json::array({{{"type", "capacity"},
                      {"factor", config.at("capacity_factor")},
                      {"least", config.at("min_capacity")},
                      {"drop", config.at("drop_policy") == "probs" ? "lowest_logit" : "latest"}}});
  return json;
}

void check_block(const std::filesystem::path& path) {
  register_routers();
  const auto file = SafeTensors::open(path);
  const Json config = parse_json(file.metadata("config"), "config");
  const int64_t experts = config.at("mlp_dynamic_expert_num"),
                columns = experts + config.at("mlp_dynamic_null_expert_num").get<int64_t>();
  const auto x = file.get("inputs/hidden_states").to(at::kDouble).flatten(0, 1);
  Router router(parse_params<RouterParams>(to_config(router_of(config)), "router"), x.size(1),
                experts, "site");
  router.to(at::kCPU, at::kDouble);
  const at::NoGradGuard no_grad;
  view_of(router, "weight").value().copy_(file.get("weights/gate.weight").narrow(0, 0, columns));
  auto context = one_sequence(x.size(0));
  auto level = context.level();
  if (file.has("inputs/padding_mask")) level.valid = file.get("inputs/padding_mask").view(-1) > 0;
  context.start(level);
  const auto out = router.forward(x, context);
  const auto& chosen = out.chosen_TK;
  if (chosen.defined()) CHECK(at::equal((chosen >= 0).sum(1), file.get("outputs/k")));
  // Padded tokens lose their experts here only where there is a capacity to keep free.
  const auto valid_T1 =
      level.valid.defined() ? level.valid.unsqueeze(1) : at::ones({x.size(0), 1}, at::kBool);
  const auto weight = dense(out) * valid_T1;
  CHECK(
      at::equal((weight > 0).to(at::kLong), file.get("outputs/expert_mask").narrow(1, 0, experts)));
  if (config.at("toggles").at("gate_mode") == "paper_eq3")
    CHECK(relative_error(weight, file.get("outputs/weights").narrow(1, 0, experts)) < 1e-12);
}

}  // namespace

TEST_CASE("top-p breaks the exact ties of UniMoE-Audio's router as it does", "[routers][golden]") {
  check_choices(data_dir() / "golden/unimoe_audio/router_edge_ties.safetensors");
}

TEST_CASE("routing decides as UniMoE-Audio does where its cases are given", "[routers][golden]") {
  const char* shared = variable_or_warn("SWITCHYARD_GOLDEN");
  if (!shared) return;
  const auto folder = std::filesystem::path(shared) / "unimoe_audio";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    INFO(entry.path().filename().string());
    const auto file = SafeTensors::open(entry.path());
    const std::string family = file.metadata("family");
    if (family == "router") check_choices(entry.path());
    if (family != "moe") continue;
    const Json config = parse_json(file.metadata("config"), "config");
    const bool sampled = !config.at("ignore_differentiable_router").get<bool>();
    const bool jittered = config.at("input_jitter_noise").get<double>() > 0;
    const bool over = config.at("mlp_dynamic_top_p").get<double>() > 1;
    if (sampled || jittered || over) continue;
    check_block(entry.path());
  }
}
