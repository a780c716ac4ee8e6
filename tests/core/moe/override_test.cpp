#include "tests/test.h"

#include "core/base/flop_counter.h"
#include "core/kernels/routing.h"
#include "core/moe/router.h"
#include "core/moe/routing_override.h"
#include "core/moe/selection.h"
#include "routers/register.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Ints = std::vector<int64_t>;
constexpr int64_t kTokens = 10, kExperts = 5;

ConfigNode topk(int64_t k) {
  ConfigNode node;
  node.child("type") = ConfigNode(std::string("topk"));
  node.child("k") = ConfigNode(k);
  return node;
}

std::unique_ptr<Router> router(int64_t k, const std::string& granularity = "token") {
  register_routers();
  RouterParams params;
  params.granularity = ConfigNode(granularity);
  params.selector = topk(k);
  auto out = std::make_unique<Router>(params, 6, kExperts, "enc.enc0.block0.attn.proj");
  init_parameters(*out, 3);
  out->to(at::kCPU, at::kDouble);
  return out;
}

RouterOutput route(Router& r, const RoutingOverride& change, at::Device device = at::kCPU) {
  ForwardContext context;
  context.start({at::tensor(Ints{0, 4, kTokens}).to(device), {}, {}, {}, {}});
  context.routing_override = &change;
  return r.forward(normal({kTokens, 6}, "x").to(device), context);
}

RoutingOverride one(RoutingRule rule) { return {{std::move(rule)}}; }

RoutingRule with_k(int64_t k) {
  RoutingRule rule;
  rule.k = k;
  return rule;
}

bool same(const RouterOutput& a, const RouterOutput& b) {
  return at::equal(a.assignment.token_offset, b.assignment.token_offset) &&
         at::equal(a.assignment.slot_of, b.assignment.slot_of) &&
         at::equal(a.assignment.weight, b.assignment.weight) && at::equal(a.logits_TE, b.logits_TE);
}

std::string error_with(const RoutingRule& rule) {
  return error_of([&] { route(*router(2), one(rule)); });
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an override of k is the router of that k, other sites are left alone",
          "[moe][override]") {
  for (int64_t k : {1, 3, 5}) CHECK(same(route(*router(2), one(with_k(k))), route(*router(k), {})));
  RoutingRule elsewhere = with_k(1);
  elsewhere.sites = "dec.*";
  CHECK(same(route(*router(2), one(elsewhere)), route(*router(2), {})));
  elsewhere.sites = "enc.*.attn.proj";
  CHECK(same(route(*router(2), one(elsewhere)), route(*router(1), {})));
  RoutingRule selector;
  selector.selector = topk(4);
  CHECK(same(route(*router(2), one(selector)), route(*router(4), {})));
}

TEST_CASE("an override may stand for some tokens of a sequence", "[moe][override]") {
  RoutingRule rule = with_k(1);
  rule.first_token = 1;
  rule.last_token = 3;
  for (const at::Device device : devices()) {
    auto r = router(2);
    r->to(device, at::kDouble);
    const auto out = route(*r, one(rule), device);
    const auto offset = out.assignment.token_offset.cpu();
    // Sequences [0, 4) and [4, 10): tokens 1, 2 and 5, 6 have one expert.
    CHECK(at::equal(at::diff(offset), at::tensor(Ints{2, 1, 1, 2, 2, 1, 1, 2, 2, 2})));
    const auto first = out.assignment.slot_of.cpu().index_select(0, offset.slice(0, 0, kTokens));
    const auto plain = route(*router(2), {}).assignment.slot_of.view({kTokens, 2}).select(1, 0);
    CHECK(at::equal(first, plain));
  }
}

TEST_CASE("delta shifts the choice and takes gradients, zero changes nothing", "[moe][override]") {
  RoutingRule rule;
  rule.delta = at::zeros({kExperts}, at::kDouble);
  CHECK(same(route(*router(2), one(rule)), route(*router(2), {})));
  rule.delta = at::tensor(std::vector<double>{0, 0, 0, 100, 0}, at::kDouble).requires_grad_(true);
  const auto out = route(*router(2), one(rule));
  CHECK((out.assignment.slot_of.view({kTokens, 2}).select(1, 0) == 3).all().item<bool>());
  rule.delta = (normal({kTokens, kExperts}, "delta") * .1).requires_grad_(true);
  (route(*router(2), one(rule)).assignment.weight * normal({2 * kTokens}, "cot")).sum().backward();
  CHECK(rule.delta.grad().abs().sum().item<double>() > 0);
}

TEST_CASE("dropped experts take no token, as in a router without their rows", "[moe][override]") {
  RoutingRule rule;
  rule.drop = {1, 4};
  auto r = router(2);
  const auto out = route(*r, one(rule));
  const auto slots = out.assignment.slot_of;
  CHECK_FALSE(((slots == 1) | (slots == 4)).any().item<bool>());
  const auto kept = at::tensor(Ints{0, 2, 3});
  const auto p = at::softmax(route(*r, {}).logits_TE.index_select(1, kept), 1);
  const auto expected = top_k_slots(p, 2);
  CHECK(at::equal(slots.view({kTokens, 2}), kept.index_select(0, expected.view(-1)).view({-1, 2})));
  const auto best = p.gather(1, expected);
  CHECK(relative_error(out.assignment.weight.view({-1, 2}), best / best.sum(1, true)) < 1e-12);
  rule.drop = {0, 1, 2, 3};
  CHECK(mentions(error_with(rule), "too few experts"));
  CHECK((route(*r, {{rule, with_k(1)}}).assignment.slot_of == 4).all().item<bool>());
  CHECK(mentions(error_of([&] { route(*r, {{rule, with_k(3)}}); }), "too few experts"));
}

TEST_CASE("given weights stand where an expert is chosen; rules work in turn", "[moe][override]") {
  RoutingRule weights;
  weights.weights = at::tensor(std::vector<double>{1, 2, 3, 4, 5}, at::kDouble);
  const auto out = route(*router(2), {{with_k(1), weights}});
  CHECK(at::equal(out.assignment.weight, out.assignment.slot_of.to(at::kDouble) + 1));
  CHECK(out.assignment.entries() == kTokens);
  weights.last_token = 1;
  const auto some = route(*router(2), one(weights)), plain = route(*router(2), {});
  CHECK(at::equal(some.assignment.weight.slice(0, 2, 8), plain.assignment.weight.slice(0, 2, 8)));
  CHECK_FALSE(
      at::equal(some.assignment.weight.slice(0, 8, 10), plain.assignment.weight.slice(0, 8, 10)));
}

TEST_CASE("an override works on groups where groups decide", "[moe][override]") {
  const auto out = route(*router(2, "sequence"), one(with_k(1)));
  CHECK(same(out, route(*router(1, "sequence"), {})));
  RoutingRule first = with_k(1);
  first.last_token = 0;  // no group stands before the first
  CHECK(same(route(*router(2, "sequence"), one(first)), route(*router(2, "sequence"), {})));
}

TEST_CASE("a wrong override is named with its site and limits", "[moe][override]") {
  CHECK(mentions(error_with(with_k(6)), "expected 1 to 5"));
  CHECK(mentions(error_with(with_k(6)), "enc.enc0"));
  RoutingRule rule;
  rule.drop = {5};
  CHECK(mentions(error_with(rule), "expected 0 to 4"));
  rule.drop = {};
  rule.delta = at::zeros({4}, at::kDouble);
  CHECK(mentions(error_with(rule), "[5] or [10, 5]"));
  RoutingRuleParams params;
  CHECK(params.text().empty());
  params.tokens = {3, 1};
  CHECK(mentions(error_of([&] { make_rule(params); }), "[first, last)"));
  params.tokens = {};
  params.k = 1;
  CHECK(params.text() == "k=1");
  params.selector = topk(2);
  CHECK(mentions(error_of([&] { make_rule(params); }), "both k and selector"));
}

TEST_CASE("a layer computes what its override says", "[moe][override]") {
  auto two = moe_layer(moe_config(4, 2), 6, 6), four = moe_layer(moe_config(4, 4), 6, 6);
  const auto x = normal({20, 6}, "x");
  auto context = one_sequence(20), plain = one_sequence(20);
  const RoutingOverride all = one(with_k(4));
  context.routing_override = &all;
  CHECK(at::equal(two->forward(x, context), four->forward(x, plain)));
}

TEST_CASE("with every expert on every token the experts' FLOPs grow by E / k", "[moe][override]") {
  const RoutingOverride all = one(with_k(5));
  for (const auto type : {at::kDouble, at::kFloat}) {
    auto layer = moe_layer(moe_config(5, 2, 3), 6, 6, type);
    const auto flops = [&](const RoutingOverride* change) {
      auto context = one_sequence(20);
      context.routing_override = change;
      const FlopCounter counter;
      layer->forward(normal({20, 6}, "x").to(type), context);
      return counter.flops();
    };
    CHECK(flops(&all) - flops(nullptr) == 20 * (5 - 2) * 3 * 2 * 6 * 18);
  }
}

TEST_CASE("selections are merged and taken by token", "[moe]") {
  const Selection a{at::tensor(Ints{0, 2, 4, 6}), at::tensor(Ints{0, 1, 2, 3, 4, 5}), 2};
  const Selection b{at::tensor(Ints{0, 0, 1, 4}), at::tensor(Ints{9, 6, 7, 8}), 0};
  const auto [mixed, source] = where_tokens(at::tensor(Ints{1, 0, 1}).to(at::kBool), b, a);
  CHECK(at::equal(mixed.token_offset, at::tensor(Ints{0, 0, 2, 5})));
  CHECK(at::equal(mixed.slot_of, at::tensor(Ints{2, 3, 6, 7, 8})));
  CHECK(at::equal(source, at::tensor(Ints{2, 3, 7, 8, 9})));
  const auto [taken, entry] = take_tokens(b, at::tensor(Ints{2, 0, 2}));
  CHECK(at::equal(taken.token_offset, at::tensor(Ints{0, 3, 3, 6})));
  CHECK(at::equal(taken.slot_of, at::tensor(Ints{6, 7, 8, 6, 7, 8})));
  CHECK(at::equal(entry, at::tensor(Ints{1, 2, 3, 1, 2, 3})));
}
