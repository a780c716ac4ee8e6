#include "tests/test.h"

#include <ATen/ops/isfinite.h>

#include "core/moe/router.h"
#include "routers/register.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Ints = std::vector<int64_t>;

RouterParams params_of(ConfigNode granularity) {
  register_routers();
  RouterParams params;
  params.granularity = std::move(granularity);
  return params;
}

ConfigNode named(const std::string& type) { return ConfigNode(type); }

ConfigNode window(int64_t length) {
  ConfigNode node;
  node.child("type") = named("window");
  node.child("length") = ConfigNode(length);
  return node;
}

std::unique_ptr<Router> router(ConfigNode granularity, int64_t channels = 6, int64_t experts = 5) {
  auto out = std::make_unique<Router>(params_of(std::move(granularity)), channels, experts, "site");
  init_parameters(*out, 3);
  out->to(at::kCPU, at::kDouble);
  return out;
}

ForwardContext context_of(const Ints& seq_offset, at::Tensor order = {}, at::Tensor valid = {},
                          at::Device device = at::kCPU) {
  ForwardContext context;
  context.start({at::tensor(seq_offset).to(device), std::move(order), {}, std::move(valid), {}});
  return context;
}

bool same(const RouterOutput& a, const RouterOutput& b) {
  return at::equal(a.scores_TE, b.scores_TE) && at::equal(a.logits_TE, b.logits_TE) &&
         at::equal(a.assignment.slot_of, b.assignment.slot_of) &&
         at::equal(a.assignment.weight, b.assignment.weight);
}

/// Every token of rows [begin, end) has the scores of row `begin`.
bool shared(const RouterOutput& out, int64_t begin, int64_t end) {
  const auto rows = out.scores_TE.slice(0, begin, end);
  return at::equal(rows, rows.narrow(0, 0, 1).expand_as(rows));
}

}  // namespace

TEST_CASE("a sequence decides once, from the mean of its tokens", "[routers][granularity]") {
  auto r = router(named("sequence"));
  const auto x = normal({9, 6}, "x");
  auto context = context_of({0, 4, 4, 9});
  const auto out = r->forward(x, context);
  CHECK(context.depth() == 0);
  CHECK(out.assignment.tokens() == 9);
  CHECK(shared(out, 0, 4));
  CHECK(shared(out, 4, 9));
  CHECK_FALSE(shared(out, 0, 9));

  auto token = router(named("token"));
  const auto means = at::stack({x.slice(0, 0, 4).mean(0), x.slice(0, 4, 9).mean(0)});
  auto two = context_of({0, 1, 2});
  const auto expected = token->forward(means, two);
  CHECK(relative_error(out.scores_TE[0], expected.scores_TE[0]) < 1e-12);
  CHECK(relative_error(out.scores_TE[8], expected.scores_TE[1]) < 1e-12);
  CHECK(at::equal(out.assignment.slot_of.view({9, 2})[5],
                  expected.assignment.slot_of.view({2, 2})[1]));
}

TEST_CASE("windows of one token are tokens, windows without end are sequences",
          "[routers][granularity]") {
  const auto x = normal({11, 6}, "x");
  const auto route = [&](ConfigNode granularity, const Ints& offset) {
    auto context = context_of(offset);
    return router(std::move(granularity))->forward(x, context);
  };
  CHECK(same(route(window(1), {0, 5, 11}), route(named("token"), {0, 5, 11})));
  CHECK(same(route(window(100), {0, 5, 11}), route(named("sequence"), {0, 5, 11})));
  CHECK(same(route(named("batch"), {0, 5, 11}), route(named("sequence"), {0, 11})));
  const auto out = route(window(3), {0, 5, 11});
  for (auto [begin, end] : std::vector<std::pair<int, int>>{{0, 3}, {3, 5}, {5, 8}, {8, 11}})
    CHECK(shared(out, begin, end));
  CHECK_FALSE(shared(out, 3, 6));
}

TEST_CASE("windows follow the order of the level", "[routers][granularity]") {
  const auto x = normal({6, 6}, "x");
  const auto order = at::tensor(Ints{2, 1, 0, 5, 3, 4});  // rank of each token, sequences in turn
  auto shuffled = context_of({0, 3, 6}, order), plain = context_of({0, 3, 6});
  auto r = router(window(2));
  const auto rows = at::argsort(order);
  const auto expected = r->forward(x.index_select(0, rows), plain);
  const auto out = r->forward(x, shuffled);
  CHECK(relative_error(out.scores_TE.index_select(0, rows), expected.scores_TE) < 1e-12);
}

TEST_CASE("invalid tokens do not move the mean, and empty input passes", "[routers][granularity]") {
  const auto valid = at::tensor(Ints{1, 0, 1, 1}).to(at::kBool);
  auto x = normal({4, 6}, "x");
  auto r = router(named("sequence"));
  auto context = context_of({0, 4}, {}, valid);
  const auto before = r->forward(x, context);
  x[1].fill_(std::numeric_limits<double>::quiet_NaN());
  CHECK(same(before, r->forward(x, context)));
  for (const char* name : {"token", "sequence", "batch", "window"}) {
    auto none = context_of({0, 0});
    const auto out = router(named(name))->forward(normal({0, 6}, "x"), none);
    CHECK(out.assignment.entries() == 0);
    auto all_invalid = context_of({0, 4}, {}, at::zeros({4}, at::kBool));
    const auto masked = router(named(name))->forward(normal({4, 6}, "x"), all_invalid);
    CHECK(at::isfinite(masked.scores_TE).all().item<bool>());
  }
}

TEST_CASE("the mean passes gradients, on every device the same bits", "[routers][granularity]") {
  for (const at::Device device : devices()) {
    for (const char* name : {"sequence", "batch", "window"}) {
      auto r = router(named(name));
      r->to(device, at::kDouble);
      const auto cot = normal({9 * 2}, "cot").to(device), step = normal({9, 6}, "step").to(device);
      const auto x = normal({9, 6}, "x").to(device);
      const auto value = [&](const at::Tensor& at_x) {
        auto context = context_of({0, 4, 9}, {}, {}, device);
        return (r->forward(at_x, context).assignment.weight * cot).sum();
      };
      auto leaf = x.clone().requires_grad_(true);
      value(leaf).backward();
      const double slope = (value(x + 1e-6 * step) - value(x - 1e-6 * step)).item<double>() / 2e-6;
      CHECK((leaf.grad() * step).sum().item<double>() == Approx(slope).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("losses count tokens, and a router says what it is", "[routers][granularity]") {
  RouterParams params = params_of(named("sequence"));
  params.losses = {named("balance")};
  Router r(params, 6, 5, "site");
  init_parameters(r, 3);
  r.to(at::kCPU, at::kDouble);
  auto context = context_of({0, 1, 9});
  context.training = true;
  const auto out = r.forward(normal({9, 6}, "x"), context);
  REQUIRE(context.losses().size() == 1);
  CHECK(out.assignment.count().sum().item<int64_t>() == 18);
  SiteInfo info;
  r.describe(info);
  CHECK(info.stages == "sequence > linear > topk > softmax");
  CHECK_FALSE(info.causal);
  router(named("token"))->describe(info);
  CHECK(info.causal);
  CHECK_FALSE(info.oracle());
  CHECK(error_of([] { router(named("sequences")); }).find("sequence") != std::string::npos);
  CHECK(error_of([] { router(window(0)); }).find("at least 1") != std::string::npos);
}
