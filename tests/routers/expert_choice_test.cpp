// Selectors by which experts choose tokens, forced slots and the contrastive loss.

#include "routers/selectors/expert_choice.h"

#include "core/moe/layer.h"
#include "routers/hooks/forced_slot.h"
#include "routers/losses/routing_contrastive.h"
#include "routers/register.h"
#include "routers/selectors/capacity_predictor.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Ints = std::vector<int64_t>;

ForwardContext sequences(const Ints& offset, bool training = false) {
  ForwardContext context;
  context.start({at::tensor(offset), {}, {}, {}, {}});
  context.training = training;
  return context;
}

/// [T, E] bool of a selection.
at::Tensor mask_of(const Selection& s, int64_t tokens, int64_t slots) {
  return at::zeros({tokens * slots}, at::kDouble)
      .index_add(0, token_of_entry(s) * slots + s.slot_of,
                 at::ones({s.slot_of.size(0)}, at::kDouble))
      .view({tokens, slots});
}

}  // namespace

TEST_CASE("every expert takes its share of every sequence", "[routers]") {
  const auto scores = normal({30, 4}, "scores");
  ExpertChoiceSelector selector({1.5, "sequence", 1});
  const auto context = sequences({0, 16, 24, 24, 30});
  const auto mask = mask_of(selector.select({{}, scores}, context), 30, 4);
  CHECK(mask.max().item<double>() == 1);
  const Ints begin = {0, 16, 24}, length = {16, 8, 6}, share = {6, 3, 2};
  for (size_t s = 0; s < 3; ++s) {
    const auto part = mask.narrow(0, begin[s], length[s]);
    CHECK((part.sum(0) == double(share[s])).all().item<bool>());
    const auto own = scores.narrow(0, begin[s], length[s]);
    const auto worst_taken = own.masked_fill(part == 0, 1e9).amin(0),
               best_left = own.masked_fill(part == 1, -1e9).amax(0);
    CHECK((worst_taken >= best_left).all().item<bool>());
  }
}

TEST_CASE("expert choice keeps to its bounds and breaks ties by place", "[routers]") {
  ExpertChoiceSelector tiny({.01, "sequence", 1}), none({.01, "sequence", 0}),
      all({100, "batch", 1});
  const auto same = at::zeros({6, 3}, at::kDouble);
  const auto context = sequences({0, 3, 6});
  const auto first = mask_of(tiny.select({{}, same}, context), 6, 3);
  CHECK(first.select(1, 0).equal(at::tensor({1., 0., 0., 1., 0., 0.})));
  CHECK(none.select({{}, same}, context).slot_of.size(0) == 0);
  CHECK(mask_of(all.select({{}, same}, context), 6, 3).sum().item<double>() == 18);
}

TEST_CASE("with every token taken expert choice is the soft mixture", "[routers]") {
  register_routers();
  const auto layer_of = [](const std::string& selector) {
    ConfigNode router;
    router.child("scorer") = ConfigNode(std::string("linear"));
    router.child("selector").child("type") = ConfigNode(selector);
    if (selector == "topk")
      router.child("selector").child("k") = ConfigNode(int64_t{4});
    else
      router.child("selector").child("capacity") = ConfigNode(4.0);
    MoEConfig config;
    config.router = router;
    config.experts.count = 4;
    auto layer = make_moe_layer(config, 8, 8, "site");
    init_parameters(*layer, 3);
    layer->to(at::kCPU, at::kDouble);
    return layer;
  };
  const auto x = normal({12, 8}, "x");
  auto context = sequences({0, 5, 12});
  const auto soft = layer_of("topk")->forward(x, context);
  CHECK(relative_error(layer_of("expert_choice")->forward(x, context), soft) < 1e-12);
}

TEST_CASE("the capacity predictor fixes how many, the scores which", "[routers]") {
  CapacityPredictorSelector selector({1, .5}, 6, 3);
  init_parameters(selector, 2);
  selector.to(at::kCPU, at::kDouble);
  const auto x = normal({12, 6}, "x"), scores = at::softmax(normal({12, 3}, "scores"), 1);
  auto training = sequences({0, 12}, true), evaluation = sequences({0, 12});
  const auto trained = mask_of(selector.select({x, scores}, training), 12, 3);
  CHECK((trained.sum(0) == 4).all().item<bool>());
  const auto target = trained, p = selector.logits().sigmoid();
  const auto bce = -(target * p.log() + (1 - target) * (1 - p).log()).mean() * .5;
  CHECK(relative_error(selector.loss(), bce) < 1e-12);
  for (const ParamView& view : selector.views()) {
    if (view.name != "expert_threshold") continue;
    const auto kth = std::get<0>(p.topk(4, 0)).select(0, 3);
    CHECK(relative_error(view.value(), .05 * kth.detach()) < 1e-6);  // the decay is kept in float
    view.value().fill_(.5);
  }
  const auto chosen = mask_of(selector.select({x, scores}, evaluation), 12, 3);
  const auto wanted = (selector.logits().sigmoid() > .5).sum(0).to(at::kDouble);
  CHECK(chosen.sum(0).equal(wanted));
  CHECK_FALSE(selector.loss().defined());
  for (int64_t e = 0; e < 3; ++e) {
    const auto taken = scores.select(1, e).masked_fill(chosen.select(1, e) == 0, 9).min(),
               left = scores.select(1, e).masked_fill(chosen.select(1, e) == 1, -9).max();
    CHECK(taken.item<double>() >= left.item<double>());
  }
  CHECK(error_of([&] {
          selector.select({{}, scores}, evaluation);
        }).find("stand in") != std::string::npos);
}

TEST_CASE("forced slots keep the gradient of the weights that stay", "[routers]") {
  const ForcedSlot hook;
  auto context = sequences({0, 2, 4});
  context.cond_mask = at::tensor({1, 0}).to(at::kBool);
  Selection selection = fixed_k_selection(at::tensor(Ints{0, 1, 2, 0, 1, 2, 0, 1}).view({4, 2}));
  const auto weight = normal({8}, "weight").requires_grad_(true);
  at::Tensor changed = weight;
  hook.apply(selection, changed, 3, context);
  CHECK(selection.slot_of.equal(at::tensor(Ints{0, 1, 2, 0, 3, 3})));
  CHECK(selection.token_offset.equal(at::tensor(Ints{0, 2, 4, 5, 6})));
  CHECK((changed.narrow(0, 4, 2) == 1).all().item<bool>());
  changed.sum().backward();
  CHECK(weight.grad().equal(at::tensor({1., 1., 1., 1., 0., 0., 0., 0.})));
  context.cond_mask = at::Tensor();
  CHECK_FALSE(hook.routed(context).defined());
}

TEST_CASE("ProMoE's token choice decides the same on every device", "[routers][cuda]") {
  register_routers();
  RouterParams params;
  params.scorer = ConfigNode(std::string("prototype"));
  params.selector = ConfigNode(ConfigNode::Map{});
  params.selector.child("type") = ConfigNode(std::string("topk"));
  params.selector.child("k") = ConfigNode(int64_t{1});
  params.weigher = ConfigNode(std::string("identity"));
  params.selection_hooks = {ConfigNode(std::string("forced_slot"))};
  const auto x = normal({600, 8}, "x");
  std::vector<Assignment> found;
  for (const at::Device device : devices()) {
    Router router(params, 8, 12, "site");
    init_parameters(router, 1);
    router.to(device, at::kDouble);
    ForwardContext context;
    context.start({at::tensor(Ints{0, 100, 100, 350, 600}).to(device), {}, {}, {}, {}});
    context.cond_mask = at::tensor({1, 0, 0, 1}).to(device, at::kBool);
    found.push_back(router.forward(x.to(device), context).assignment);
    const Assignment &a = found.front(), &b = found.back();
    CHECK(b.slots() == 13);
    CHECK(at::equal(b.slot_of.cpu(), a.slot_of));
    CHECK(at::equal(b.slot_offset.cpu(), a.slot_offset));
    CHECK(at::equal(b.token_of.cpu(), a.token_of));
    CHECK(at::equal(b.position.cpu(), a.position));
    CHECK(relative_error(b.weight, a.weight) < 1e-13);
  }
}

TEST_CASE("the contrastive loss needs two experts and prefers apart", "[routers]") {
  const auto prototypes = at::eye(3, at::kDouble);
  const auto means = at::eye(3, at::kDouble).unsqueeze(0).requires_grad_(true);
  const auto all = at::ones({1, 3}, at::kDouble), one = at::tensor({1., 0., 0.}).unsqueeze(0);
  const double expected = std::log(1 + 2 * std::exp(-1 / .5));
  CHECK(contrast(prototypes, {means, all}, .5).item<double>() == Approx(expected));
  const auto alone = contrast(prototypes, {means, one}, .5);
  CHECK(alone.item<double>() == 0);
  alone.backward();
  CHECK(means.grad().abs().max().item<double>() == 0);
  CHECK(contrast(prototypes, {means, at::zeros({1, 3}, at::kDouble)}, .5).item<double>() == 0);
}
