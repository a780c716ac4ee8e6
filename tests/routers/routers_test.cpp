#include "tests/test.h"

#include <cstdlib>

#include "core/golden/golden.h"
#include "core/moe/balance.h"
#include "core/moe/site_info.h"
#include "domains/point_cloud/golden.h"
#include "routers/golden.h"
#include "routers/hooks/temperature.h"
#include "routers/losses/balance.h"
#include "routers/losses/z_loss.h"
#include "routers/register.h"
#include "routers/scorers/domain_guided.h"
#include "routers/selectors/topk.h"
#include "routers/weighers/softmax.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

SafeTensors routing_case(const std::string& name) {
  return SafeTensors::open(data_dir() / "golden/routing" / (name + ".safetensors"));
}
at::Tensor double_of(const SafeTensors& file, const std::string& name) {
  return file.get(name).to(at::kDouble).clone();
}
int64_t config_int(const SafeTensors& file, const std::string& key) {
  return parse_json(file.metadata("config"), "config").at(key).get<int64_t>();
}

/// Softmax and top-k of logits [T, E].
RouterOutput route(const at::Tensor& logits_TE, int64_t k) {
  const ForwardContext unused;
  SoftmaxWeigher weigher(true);
  RouterOutput out{logits_TE, weigher.scores(logits_TE, unused), {}, {}, {}, {}};
  const auto selection = TopKSelector(k).select({{}, out.scores_TE.detach()}, unused);
  out.assignment = make_assignment(selection.token_offset, selection.slot_of,
                                   weigher.weights(out.scores_TE, selection), logits_TE.size(1));
  return out;
}

/// Mean over ranks and micro-batches of one scope's loss; logits [ranks, micro, S, N, E]. With
/// `merge`, the ranks' sequences form one micro-batch: what counting over all ranks amounts to.
at::Tensor scope_loss(const at::Tensor& logits, int64_t k, BalanceLoss::Scope scope, bool merge) {
  const int64_t sequences = logits.size(2), length = logits.size(3);
  BalanceLoss loss(1, scope);
  BalanceState state;
  std::vector<at::Tensor> terms;
  const auto add = [&](const at::Tensor& part, int64_t count) {
    ForwardContext context;
    context.balance = &state;
    context.start({at::arange(0, (count + 1) * length, length, at::kLong), {}, {}, {}, {}});
    terms.push_back(loss.loss(route(part.reshape({count * length, -1}), k), context, "site"));
  };
  for (int64_t m = 0; m < logits.size(1); ++m) {
    const auto micro = logits.select(1, m);
    if (merge) {
      add(micro, sequences * micro.size(0));
    } else {
      for (int64_t r = 0; r < micro.size(0); ++r) add(micro[r], sequences);
    }
  }
  return at::stack(terms).mean();
}

void check_scope(const std::string& name, BalanceLoss::Scope scope, bool merge) {
  const auto file = routing_case("balance_scope_grad__" + name);
  const auto logits = double_of(file, "inputs/logits").requires_grad_(true);
  const auto value = scope_loss(logits, config_int(file, "k"), scope, merge);
  CHECK(relative_error(value, file.get("outputs/loss_" + name)) < 1e-10);
  (value * double_of(file, "inputs/cot_loss_" + name)).backward();
  CHECK(relative_error(logits.grad(), file.get("grads/inputs/logits")) < 1e-9);
}

ForwardContext masked(const SafeTensors& file, int64_t tokens) {
  auto context = one_sequence(tokens);
  context.start(
      {at::tensor(std::vector<int64_t>{0, tokens}), {}, {}, file.get("inputs/mask") > 0, {}});
  return context;
}

void check_loss(const SafeTensors& file, RouterLoss& loss, const std::string& term) {
  const auto logits = double_of(file, "inputs/logits").requires_grad_(true);
  const auto out = route(logits, config_int(file, "k"));
  const auto value = loss.loss(out, masked(file, logits.size(0)), "site");
  CHECK(relative_error(value, file.get("outputs/" + term)) < 1e-10);
  (value * double_of(file, "inputs/cot_" + term)).backward();
  CHECK(relative_error(logits.grad(), file.get("grads/inputs/logits")) < 1e-9);
}

}  // namespace

TEST_CASE("balance loss has the published scopes", "[routers]") {
  check_scope("sequence", BalanceLoss::Scope::Sequence, false);
  check_scope("micro", BalanceLoss::Scope::Micro, false);
  check_scope("accum", BalanceLoss::Scope::Accumulation, true);
  const auto file = routing_case("balance_scopes__k2");
  const auto logits = double_of(file, "inputs/logits");
  CHECK(relative_error(scope_loss(logits, 2, BalanceLoss::Scope::Sequence, false),
                       file.get("outputs/loss_sequence")) < 1e-10);
}

namespace {

/// Mean over ranks and micro-batches of the loss with scope global: every rank has a state whose
/// sum adds what the other ranks counted up to the same micro-batch.
at::Tensor global_loss(const at::Tensor& logits, int64_t k) {
  const int64_t ranks = logits.size(0), micros = logits.size(1),
                tokens = logits.size(2) * logits.size(3);
  const auto counted = [&](int64_t rank, int64_t micro) {
    return route(logits[rank].narrow(0, 0, micro + 1).reshape({(micro + 1) * tokens, -1}), k)
        .assignment.count();
  };
  BalanceLoss loss(1, BalanceLoss::Scope::Global);
  std::vector<at::Tensor> terms;
  for (int64_t r = 0; r < ranks; ++r) {
    int64_t m = 0;
    BalanceState state([&](const at::Tensor& own) {
      auto sum = own;
      for (int64_t other = 0; other < ranks; ++other) {
        if (other != r) sum = sum + counted(other, m);
      }
      return sum;
    });
    for (; m < micros; ++m) {
      auto context = one_sequence(tokens);
      context.balance = &state;
      terms.push_back(loss.loss(route(logits[r][m].reshape({tokens, -1}), k), context, "site"));
    }
  }
  return at::stack(terms).mean();
}

}  // namespace

TEST_CASE("scope global counts all ranks of the step so far", "[routers]") {
  const auto file = routing_case("balance_scope_grad__accum");
  const auto logits = double_of(file, "inputs/logits").requires_grad_(true);
  const auto value = global_loss(logits, config_int(file, "k"));
  CHECK(relative_error(value, file.get("outputs/loss_accum")) < 1e-10);
  (value * double_of(file, "inputs/cot_loss_accum")).backward();
  CHECK(relative_error(logits.grad(), file.get("grads/inputs/logits")) < 1e-9);

  // One micro-batch a step: the ranks together are one big batch.
  const auto single = logits.detach().narrow(1, 0, 1).clone();
  CHECK(relative_error(global_loss(single, 2),
                       scope_loss(single, 2, BalanceLoss::Scope::Micro, true)) < 1e-12);
}

TEST_CASE("without a process group scope global is accumulation to the bit", "[routers]") {
  const auto logits = double_of(routing_case("balance_scopes__k2"), "inputs/logits");
  CHECK(at::equal(scope_loss(logits, 2, BalanceLoss::Scope::Global, true),
                  scope_loss(logits, 2, BalanceLoss::Scope::Accumulation, true)));
}

TEST_CASE("balance and z loss ignore padded tokens", "[routers]") {
  BalanceLoss balance(1, BalanceLoss::Scope::Micro);
  ZLoss z(1);
  check_loss(routing_case("router_loss_grad__lbl"), balance, "lbl");
  check_loss(routing_case("router_loss_grad__z_loss"), z, "z_loss");
}

TEST_CASE("balance state counts a step, then forgets", "[routers]") {
  BalanceState state;
  const auto ones = at::ones({3}, at::kLong);
  state.add("a", ones);
  CHECK(state.add("a", ones).sum().item<int64_t>() == 6);
  CHECK(state.add("b", ones).sum().item<int64_t>() == 3);
  state.end_step();
  CHECK(state.add("a", ones).sum().item<int64_t>() == 3);
  BalanceLoss loss(1, BalanceLoss::Scope::Accumulation);
  CHECK(error_of([&] {
          loss.loss(route(normal({4, 3}, "l"), 1), one_sequence(4), "enc.site");
        }).find("enc.site") != std::string::npos);
}

TEST_CASE("softmax weigher: renormalised, raw, and tokens of different k", "[routers]") {
  const auto p = at::tensor(std::vector<double>{.5, .3, .2, .1, .2, .7}, at::kDouble).view({2, 3});
  const auto offset = at::tensor(std::vector<int64_t>{0, 2, 3}),
             slot = at::tensor(std::vector<int64_t>{0, 1, 2});
  const auto expect = [&](bool renormalise, std::vector<double> weights) {
    const auto got = SoftmaxWeigher(renormalise).weights(p, {offset, slot, 0});
    CHECK(relative_error(got, at::tensor(weights, at::kDouble)) < 1e-12);
  };
  expect(true, {.625, .375, .7});
  expect(false, {.5, .3, .7});
  const auto top = at::tensor(std::vector<int64_t>{0, 2, 4}),
             four = at::tensor(std::vector<int64_t>{0, 1, 2, 1});
  for (bool renormalise : {true, false}) {
    SoftmaxWeigher weigher(renormalise);
    CHECK(relative_error(weigher.weights(p, {top, four, 2}), weigher.weights(p, {top, four, 0})) <
          1e-12);
  }
}

TEST_CASE("temperature divides the logits", "[routers]") {
  const auto x = normal({3, 4}, "x");
  CHECK(at::equal(TemperatureHook(2).forward(x, {}), x / 2));
}

TEST_CASE("training adds the router's losses to the context, evaluation does not", "[routers]") {
  auto config = moe_config(4, 2);
  config.router.child("losses") = ConfigNode(
      ConfigNode::List{ConfigNode(std::string("balance")), ConfigNode(std::string("z"))});
  config.router.child("hooks") =
      ConfigNode(ConfigNode::List{ConfigNode(std::string("temperature"))});
  auto layer = moe_layer(config, 6, 6);
  auto training = one_sequence(10, true), evaluation = one_sequence(10);
  layer->forward(normal({10, 6}, "x"), training);
  layer->forward(normal({10, 6}, "x"), evaluation);
  REQUIRE(training.losses().size() == 2);
  CHECK(training.losses()[0].first == "balance/site");
  CHECK(training.losses()[0].second.item<double>() > 0);
  CHECK(evaluation.losses().empty());
}

TEST_CASE("limits of the set routing are read as its README says", "[routers][golden]") {
  GoldenCase golden;
  golden.dtype = at::kFloat;
  golden.tolerance = Json::parse(R"({"f32": {"outputs": 1e-5, "grads": 5e-5}, "f64": null})");
  CHECK(routing_golden_limit(golden, "grads/weights/a") == 5e-5);
  golden.dtype = at::kDouble;
  CHECK_FALSE(routing_golden_limit(golden, "outputs/y"));
}

TEST_CASE("golden kind moe_layer passes", "[routers][golden]") {
  register_router_golden();
  register_point_cloud_golden();  // the set
  const char* shared = variable_or_warn("SWITCHYARD_GOLDEN");
  std::vector<std::string> folders = {(data_dir() / "golden/point_moe").string()};
  if (shared) folders.push_back(std::string(shared) + "/point_moe");
  for (const std::string& folder : folders) {
    for (auto precision : {GoldenPrecision::Double, GoldenPrecision::Single}) {
      const auto report =
          run_golden(folder, {{"moe_layer"}, precision}, [](const GoldenReport::Line& line) {
            if (line.covered) {
              INFO(line.name << " " << line.worst_tensor << " " << line.error << " " << line.note);
              CHECK(line.passed);
            }
          });
      CHECK(report.ok());
    }
  }
}

TEST_CASE("the domain-guided scorer is linear in the token and its domain's context", "[routers]") {
  DomainGuidedScorer scorer(4, 3, 5);
  init_parameters(scorer, 2);
  scorer.to(at::kCPU, at::kDouble);
  const auto x = normal({6, 4}, "x").requires_grad_(true);
  ForwardContext context;
  context.start({at::tensor(std::vector<int64_t>{0, 2, 2, 6}), {}, {}, {}, {}});
  context.cond = normal({3, 3}, "cond").requires_grad_(true);
  const auto logits = scorer.forward(x, context);
  const auto row = at::tensor(std::vector<int64_t>{0, 0, 2, 2, 2, 2});
  const auto joined = at::cat({x, context.cond.index_select(0, row)}, 1);
  const auto weight = view_of(scorer, "weight").value();
  CHECK(relative_error(logits, at::linear(joined, weight)) < 1e-14);
  logits.square().sum().backward();
  const auto slope = 2 * at::matmul(logits.detach(), weight.detach());
  CHECK(relative_error(x.grad(), slope.narrow(1, 0, 4)) < 1e-14);
  CHECK(relative_error(context.cond.grad()[2], slope.narrow(1, 4, 3).narrow(0, 2, 4).sum(0)) <
        1e-14);
  CHECK(context.cond.grad()[1].abs().max().item<double>() == 0);  // an empty sequence
}

TEST_CASE("the domain-guided router is an oracle and refuses to guess the domain", "[routers]") {
  auto config = moe_config(3, 2);
  CHECK_FALSE(moe_sites(*moe_layer(config, 4, 4)).at(0).oracle());
  config.router.child("scorer") = ConfigNode(std::string("domain_guided"));
  CHECK(moe_sites(*moe_layer(config, 4, 4)).at(0).oracle());
  DomainGuidedScorer scorer(4, 3, 5);
  auto context = one_sequence(0);
  const auto none = at::zeros({0, 4});
  CHECK(error_of([&] { scorer.forward(none, context); }).find("none, expected [1, 3]") !=
        std::string::npos);
  context.cond = at::zeros({1, 3});
  CHECK(scorer.forward(none, context).sizes() == at::IntArrayRef{0, 5});
}
