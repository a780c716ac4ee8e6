// Top-p, null slots and capacity: routing in which a token's number of entries varies.

#include "tests/routers/sparse_router.h"
#include "tests/test.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/softmax.h>

#include "core/io/safetensors.h"
#include "core/moe/layer.h"
#include "core/moe/routing_override.h"
#include "core/moe/site_info.h"
#include "core/moe/trace_recorder.h"
#include "core/moe/twin.h"
#include "routers/golden.h"
#include "routers/hooks/capacity.h"
#include "routers/losses/balance.h"
#include "routers/selectors/topp.h"
#include "tests/support/golden.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Ints = std::vector<int64_t>;

Selection select_topp(const at::Tensor& scores, double p, std::optional<int64_t> max_k = {}) {
  return TopPSelector({p, max_k, {}}, scores.size(1)).select({{}, scores}, {});
}
Ints lengths(const Selection& s) {
  const auto length = at::diff(s.token_offset);
  return {length.data_ptr<int64_t>(), length.data_ptr<int64_t>() + length.numel()};
}

}  // namespace

TEST_CASE("top-p takes the fewest slots whose scores reach p", "[routers]") {
  const auto p = at::tensor(std::vector<double>{.5, .3, .2, .1, .1, .8, .25, .5, .25}, at::kDouble)
                     .view({3, 3});
  const auto s = select_topp(p, .7);
  CHECK(lengths(s) == Ints{2, 1, 2});
  CHECK(s.slot_of.equal(at::tensor(Ints{0, 1, 2, 1, 0})));
  CHECK(lengths(select_topp(p, .5)) == Ints{1, 1, 1});  // the sum reaches p, not: exceeds it
  CHECK(lengths(select_topp(p, 0)) == Ints{1, 1, 1});
  CHECK(lengths(select_topp(p, 1)) == Ints{3, 3, 3});
  CHECK(lengths(select_topp(p, .99, 2)) == Ints{2, 1 + 1, 2});
  CHECK(select_topp(at::zeros({0, 3}, at::kDouble), .5).slot_of.size(0) == 0);
}

TEST_CASE("top-p of 0 is top-1 and of 1 the soft mixture", "[routers]") {
  const auto same = [](const Json& a, const Json& b) {
    return at::equal(dense(route(a)), dense(route(b)));
  };
  CHECK(same(router_json(topp(0)), router_json(topk(1))));
  CHECK(same(router_json(topp(1)), router_json(topk(kExperts))));
  CHECK_FALSE(same(router_json(topp(.6)), router_json(topk(2))));
}

TEST_CASE("equal scores go to the lowest slots, and tokens may come in any order", "[routers]") {
  const auto flat = at::full({4, 8}, .125, at::kDouble);
  CHECK(select_topp(flat, .5).slot_of.view({4, 4}).select(0, 3).equal(at::arange(4)));
  const auto x = tokens(), order = at::arange(kTokens - 1, -1, -1);
  for (const auto& json : {router_json(topp(.7)), router_json(topp(.7), 2)}) {
    const auto y = dense(route(json, x)), z = dense(route(json, x.index_select(0, order)));
    CHECK(at::equal(y.index_select(0, order), z));
  }
}

TEST_CASE("null slots compete, keep their share and have no entries", "[routers]") {
  const auto out = route(router_json(topp(.7), 3));
  const Assignment& a = out.assignment;
  CHECK(out.scores_TE.size(1) == kExperts + 3);
  CHECK(a.slots() == kExperts);
  CHECK(a.slot_of.max().item<int64_t>() < kExperts);
  const auto chosen = out.chosen_TK;
  CHECK(((chosen >= 0) & (chosen < kExperts)).sum().item<int64_t>() == a.entries());
  CHECK((chosen >= kExperts).any().item<bool>());
  // Weights are shares of all chosen scores, or of the experts' alone.
  const auto score_TK = out.scores_TE.gather(1, chosen.clamp_min(0)).masked_fill(chosen < 0, 0);
  const auto routed_T = score_TK.masked_fill(chosen >= kExperts, 0).sum(1);
  CHECK(relative_error(dense(out).sum(1), routed_T / score_TK.sum(1)) < 1e-14);
  const auto spread = dense(route(router_json(topp(.7), 3, false))).sum(1);
  CHECK(relative_error(spread, (routed_T > 0).to(at::kDouble)) < 1e-14);
}

TEST_CASE("null slots that nobody wants change nothing", "[routers]") {
  const auto json = router_json(topk(2), 2);
  auto with = make_router(json), without = make_router(router_json(topk(2)));
  const at::NoGradGuard no_grad;
  const auto row = view_of(*without, "weight").value();
  auto rows = view_of(*with, "weight").value();
  rows.narrow(0, 0, kExperts).copy_(row);
  rows.narrow(0, kExperts, 2).copy_(row.mean(0).expand({2, kChannels}));
  RoutingOverride change;
  change.rules.emplace_back().delta = at::tensor(std::vector<double>{0, 0, 0, 0, 0, -1e9, -1e9});
  auto context = one_sequence(kTokens), plain = one_sequence(kTokens);
  context.routing_override = &change;
  const auto a = with->forward(tokens(), context), b = without->forward(tokens(), plain);
  CHECK(relative_error(dense(a), dense(b)) < 1e-14);
  CHECK(a.assignment.slot_of.equal(b.assignment.slot_of));
}

TEST_CASE("a token that chooses nothing but null slots gets zero", "[routers][moe]") {
  auto config = moe_config(kExperts, 1, 1, true, "silu");
  config.router = to_config(router_json(topk(1), 4));
  auto layer = moe_layer(config, kChannels, kChannels);
  TraceRecorder recorder({"val", 0, {"d"}, {}, {true}, "all"});
  recorder.begin_batch({{"u"}, {"g"}, {0}, at::zeros({kTokens}, at::kLong), {}});
  auto context = one_sequence(kTokens);
  context.trace = &recorder;
  const auto y = layer->forward(tokens(), context);
  TempDir dir;
  recorder.write(dir / "t.safetensors");
  const auto file = SafeTensors::open(dir / "t.safetensors");
  const auto slot_T = file.get("site0.slot").to(at::kLong);
  REQUIRE(slot_T.size(0) == kTokens);
  const auto null_T = slot_T >= kExperts;
  CHECK(null_T.any().item<bool>());
  CHECK_FALSE(null_T.all().item<bool>());
  CHECK(((y == 0).all(1) == null_T).all().item<bool>());
  CHECK(((file.get("site0.weight") == 0) == null_T).all().item<bool>());
  CHECK(file.get("site0.scores").size(1) == kExperts + 4);
  CHECK_FALSE(file.has("site0.kept"));
}

TEST_CASE("capacity drops the lowest scores or the last tokens of a full slot", "[routers]") {
  const auto slot = at::tensor(Ints{0, 0, 1, 0, 0});
  const auto score = at::tensor(std::vector<double>{.1, .4, .5, .4, .2}, at::kDouble);
  const auto scores = score.unsqueeze(1).expand({5, 2}).contiguous();
  const Selection s{at::arange(6), slot, 1};
  const auto kept = [&](const std::string& drop, const at::Tensor& open) {
    return CapacityHook({.8, 1, drop}).kept({s, scores, scores, open}).to(at::kLong);
  };
  CHECK(CapacityHook({.8, 1, "lowest"}).capacity(5, 2, 1) == 2);
  CHECK(CapacityHook({.8, 9, "lowest"}).capacity(5, 2, 1) == 9);
  CHECK(kept("lowest", {}).equal(at::tensor(Ints{0, 1, 1, 1, 0})));
  CHECK(kept("latest", {}).equal(at::tensor(Ints{1, 1, 1, 0, 0})));
  CHECK(CapacityHook({.8, 1, "lowest_logit"})
            .kept({s, -scores, scores, {}})
            .to(at::kLong)
            .equal(at::tensor(Ints{1, 0, 1, 0, 1})));
  const auto open = at::tensor(Ints{0, 1, 0, 1, 1}).to(at::kBool);
  CHECK(kept("latest", open).equal(at::tensor(Ints{0, 1, 0, 1, 0})));
  const auto equal = at::full({5, 2}, .5, at::kDouble);
  CHECK(CapacityHook({.8, 1, "lowest"})
            .kept({s, equal, equal, {}})
            .to(at::kLong)
            .equal(at::tensor(Ints{1, 1, 1, 0, 0})));
}

TEST_CASE("capacity bounds every expert; a large one drops nothing", "[routers]") {
  for (const auto& base : {router_json(topk(2)), router_json(topp(.8)), router_json(topp(.8), 2)}) {
    const auto free = route(base), wide = route(with_capacity(base, 100));
    CHECK(at::equal(dense(free), dense(wide)));
    for (const std::string drop : {"lowest", "latest"}) {
      const auto cut = route(with_capacity(base, .5, drop));
      const int64_t columns = cut.scores_TE.size(1), k = base["selector"].value("k", 1),
                    most = CapacityHook({.5, 1, drop}).capacity(kTokens, columns, k);
      CHECK(cut.assignment.count().max().item<int64_t>() == most);
      CHECK(cut.assignment.entries() < free.assignment.entries());
      CHECK((cut.chosen_TK >= 0).sum().item<int64_t>() >= free.assignment.entries());
      // What is left is weighed as if it had been chosen.
      const auto sum_T = dense(cut).sum(1);
      if (columns == kExperts) {
        CHECK(relative_error(sum_T, (sum_T > 0).to(at::kDouble)) < 1e-14);
      }
    }
  }
}

TEST_CASE("traces name what capacity dropped, and balance counts it", "[routers][trace]") {
  const auto json = with_capacity(router_json(topk(2)), .4);
  TraceRecorder recorder({"val", 0, {"d"}, {}, {true}, "all"});
  recorder.begin_batch({{"u"}, {"g"}, {0}, at::zeros({kTokens}, at::kLong), {}});
  auto context = one_sequence(kTokens);
  const auto out = make_router(json)->forward(tokens(), context);
  recorder.record("site", out, context);
  TempDir dir;
  recorder.write(dir / "t.safetensors");
  const auto file = SafeTensors::open(dir / "t.safetensors");
  const auto kept = file.get("site0.kept").to(at::kLong);
  CHECK(kept.size(0) == 2 * kTokens);
  CHECK(kept.sum().item<int64_t>() == out.assignment.entries());
  CHECK(((file.get("site0.weight") > 0) == (kept > 0)).all().item<bool>());
  BalanceLoss loss(1, BalanceLoss::Scope::Micro);
  const auto free = route(router_json(topk(2)));
  CHECK(loss.loss(out, context, "s").item<double>() ==
        loss.loss(free, context, "s").item<double>());
}

TEST_CASE("null slots count in the balance loss, alone or by their mean", "[routers]") {
  const auto out = route(router_json(topp(.7), 3));
  const int64_t columns = kExperts + 3;
  const auto chosen = out.chosen_TK;
  auto count = at::zeros({columns}, at::kDouble);
  for (int64_t e = 0; e < columns; ++e) count[e] = (chosen == e).sum();
  const auto context = one_sequence(kTokens);
  const auto loss = [&](BalanceLoss::Scope scope, bool mean) {
    return BalanceLoss(1, scope, false, mean).loss(out, context, "s");
  };
  CHECK(relative_error(loss(BalanceLoss::Scope::Micro, false), balance_term(out.scores_TE, count)) <
        1e-14);
  count.narrow(0, kExperts, 3).fill_(count.narrow(0, kExperts, 3).mean());
  for (const auto scope : {BalanceLoss::Scope::Micro, BalanceLoss::Scope::Sequence})
    CHECK(relative_error(loss(scope, true), balance_term(out.scores_TE, count)) < 1e-14);
}

TEST_CASE("forced tokens have no choices and fill no capacity", "[routers]") {
  auto json = with_capacity(router_json(topk(1)), 100);
  json["selection_hooks"].push_back("forced_slot");
  auto router = make_router(json);
  ForwardContext context;
  context.start({at::tensor(Ints{0, 20, kTokens}), {}, {}, {}, {}});
  context.cond_mask = at::tensor({1, 0}).to(at::kBool);
  const auto out = router->forward(tokens(), context);
  CHECK((out.chosen_TK.narrow(0, 20, kTokens - 20) == -1).all().item<bool>());
  CHECK(out.assignment.count()[kExperts].item<int64_t>() == kTokens - 20);
  CHECK(out.assignment.entries() == kTokens);
}

TEST_CASE("gradients of sparse routing are those of finite differences", "[routers]") {
  for (const auto& json :
       {router_json(topp(.7)), router_json(topp(.7), 2), router_json(topp(.7), 2, false),
        with_capacity(router_json(topp(.9), 1), .6)}) {
    INFO(json.dump());
    auto router = make_router(json);
    const auto cotangent = normal({kTokens, kExperts}, "cotangent");
    const auto value = [&](const at::Tensor& x) {
      auto context = one_sequence(kTokens);
      return (dense(router->forward(x, context)) * cotangent).sum();
    };
    const auto x = tokens().requires_grad_(true), step = normal(x.sizes(), "step") * 1e-6;
    value(x).backward();
    const auto fixed = x.detach();
    const double slope = (value(fixed + step) - value(fixed - step)).item<double>() / 2;
    CHECK((x.grad() * step).sum().item<double>() == Approx(slope).epsilon(1e-5));
  }
}

TEST_CASE("twins and cost tables see what sparse routing costs", "[routers][moe]") {
  auto config = moe_config(8, 2, 1);
  const auto width = [&](const Json& router) {
    config.router = to_config(router);
    return twin(config, TwinKind::Active).experts.hidden_mult;
  };
  CHECK(width(router_json(topp(.7))) == 6);
  CHECK(width(router_json({{"type", "topp"}, {"max_k", 3}})) == 3);
  CHECK(width(router_json({{"type", "topp"}, {"mean_k", 2.5}})) == 2.5);
  CHECK(width(router_json(topk(4), 8)) == 2);
  SiteInfo info;
  make_router(with_capacity(router_json(topp(.7), 2), 2))->describe(info);
  CHECK(info.null_slots == 2);
  CHECK_FALSE(info.one_op);
  CHECK_FALSE(info.causal);
  CHECK(info.stages.find("2 null slots") != std::string::npos);
}

TEST_CASE("sparse stages name bad values", "[routers]") {
  const auto error = [](const Json& json) { return error_of([&] { make_router(json); }); };
  CHECK(error(router_json(topp(1.5))).find("0 to 1") != std::string::npos);
  CHECK(error(router_json({{"type", "topp"}, {"max_k", 9}})).find("1 to 5") != std::string::npos);
  CHECK(error(router_json(topp(.5), -1)).find("null_slots.count") != std::string::npos);
  CHECK(error(with_capacity(router_json(topk(1)), 1, "first")).find("latest") != std::string::npos);
  CHECK(error(with_capacity(router_json(topk(1)), -1)).find("factor") != std::string::npos);
  auto grouped = with_capacity(router_json(topk(1)), 1);
  grouped["granularity"] = "sequence";
  CHECK(error(grouped).find("expected token") != std::string::npos);
}

TEST_CASE("top-p, null slots and capacity reproduce the set routing", "[routers][golden]") {
  register_router_golden();
  const std::string kind = GENERATE("topp_router", "null_experts", "capacity_router");
  check_golden((data_dir() / "golden/routing").string(), {kind});
}

TEST_CASE("sparse routing agrees with the set routing where it is given", "[routers][golden]") {
  const char* folder = variable_or_warn("SWITCHYARD_GOLDEN");
  if (!folder) return;
  register_router_golden();
  const std::string kind = GENERATE("topp_router", "null_experts", "capacity_router/*_late",
                                    "capacity_router/*_lowprob", "capacity_router/*_position");
  check_golden(std::string(folder) + "/routing", {kind});
}

TEST_CASE("one wrong value fails a case of every kind of sparse routing", "[routers][golden]") {
  register_router_golden();
  const std::string name =
      GENERATE("topp_router__low", "null_experts__one_null", "capacity_router__topk_lowprob");
  check_notices_faults(data_dir() / "golden/routing" / (name + ".safetensors"));
}
