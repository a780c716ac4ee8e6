#include "tests/test.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <ATen/Parallel.h>

#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "core/nn/linear.h"
#include "core/train/ema.h"
#include "core/train/optimizer.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

struct Pair : Module {
  Pair() : block(emplace_child<Linear>("block", 3, 2)), head(emplace_child<Linear>("head", 2, 1)) {}
  Linear &block, &head;
};

/// Two published matrices in one stacked tensor.
struct Stack : Module {
  Stack()
      : weight(add_parameter({2, 3}, [](const at::Tensor& storage) {
          std::vector<ParamView> views;
          for (int64_t e = 0; e < 2; ++e) {
            views.push_back({cat("experts.", e, ".weight"),
                             storage,
                             [e](const at::Tensor& t) { return t.select(0, e); },
                             true,
                             {}});
          }
          return views;
        })) {}
  at::Tensor& weight;
};

void set_grad(at::Tensor parameter, double value) {
  parameter.mutable_grad() =
      at::full(parameter.sizes(), value, parameter.options().requires_grad(false));
}

ConfigNode group(const std::string& match, double scale) {
  return ConfigNode(ConfigNode::Map{{"match", ConfigNode(match)}, {"lr_scale", ConfigNode(scale)}});
}

/// AdamW on one number, written from the paper.
struct Scalar {
  double p, m = 0, v = 0;
  int t = 0;
  void step(double g, double lr, double b1, double b2, double eps, double decay) {
    ++t;
    p -= lr * decay * p;
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    p -= lr * (m / (1 - std::pow(b1, t))) / (std::sqrt(v / (1 - std::pow(b2, t))) + eps);
  }
};

}  // namespace

TEST_CASE("AdamW follows the paper, with groups and a moving beta1", "[train][optimizer]") {
  Pair model;
  model.to(at::kCPU, at::kDouble);
  init_parameters(model, 1);
  AdamWParams params{.lr = .02, .weight_decay = .05, .groups = {group("block", .3)}};
  AdamW optimizer(model, params);
  Scalar block{model.block.weight[1][2].item<double>()}, head{model.head.bias->item<double>()};
  for (int step = 0; step < 6; ++step) {
    const double g = std::sin(step + 1), beta1 = .95 - .01 * step, factor = 1.0 / (step + 1);
    for (at::Tensor p : model.parameters()) set_grad(p, 2 * g);
    optimizer.step(factor, beta1, .5);
    block.step(g, .02 * .3 * factor, beta1, .999, 1e-8, .05);
    head.step(g, .02 * factor, beta1, .999, 1e-8, .05);
  }
  CHECK(model.block.weight[1][2].item<double>() == Approx(block.p).epsilon(1e-12));
  CHECK(model.head.bias->item<double>() == Approx(head.p).epsilon(1e-12));
}

TEST_CASE("a parameter without gradient is left alone", "[train][optimizer]") {
  Pair model;
  init_parameters(model, 1);
  AdamW optimizer(model, {});
  const at::Tensor before = model.head.weight.detach().clone();
  set_grad(model.block.weight, 1);
  optimizer.step(1);
  CHECK(at::equal(model.head.weight, before));
  optimizer.zero_grad();
  CHECK_FALSE(model.block.weight.grad().defined());
}

TEST_CASE("state of a stacked tensor is stored per public name", "[train][optimizer]") {
  TempDir dir;
  Stack a, b;
  AdamW first(a, {}), second(b, {});
  set_grad(a.weight, .5);
  first.step(1);
  write_safetensors(dir / "o.safetensors", first.state());
  const auto file = SafeTensors::open(dir / "o.safetensors");
  CHECK(file.get("exp_avg/experts.1.weight").sizes() == at::IntArrayRef({3}));
  second.load_state(file);
  for (at::Tensor* weight : {&a.weight, &b.weight}) weight->detach().fill_(2);
  set_grad(a.weight, .25);
  set_grad(b.weight, .25);
  first.step(1);
  second.step(1);
  CHECK(at::equal(a.weight, b.weight));
  CHECK(error_of([&] {
          Pair other;
          AdamW(other, {}).load_state(file);
        }).find("missing") != std::string::npos);
}

TEST_CASE("optimizer groups that cannot work are refused", "[train][optimizer]") {
  Pair pair;
  Stack stack;
  CHECK(error_of([&] { AdamW(pair, {.groups = {group("blok", 1)}}); }).find("'blok'") !=
        std::string::npos);
  CHECK(error_of([&] { AdamW(stack, {.groups = {group("experts.1", 1)}}); }).find("two groups") !=
        std::string::npos);
  pair.to(at::kCPU, at::kBFloat16);
  CHECK(error_of([&] { AdamW(pair, {}); }).find("BFloat16") != std::string::npos);
}

TEST_CASE("norm and update do not depend on the thread count", "[train][optimizer]") {
  const int threads = at::get_num_threads();
  auto run = [](int count) {
    at::set_num_threads(count);
    Linear big(700, 300);
    init_parameters(big, 5);
    AdamW optimizer(big, {});
    big.weight.mutable_grad() = big.weight.detach() * 3;
    const double norm = optimizer.grad_norm();
    optimizer.step(1, {}, clip_factor(norm, 1));
    return std::pair(norm, big.weight.detach());
  };
  const auto [norm1, weight1] = run(1);
  const auto [norm2, weight2] = run(2);
  at::set_num_threads(threads);
  CHECK(norm1 == norm2);
  CHECK(at::equal(weight1, weight2));
  CHECK(clip_factor(4, 2) == Approx(.5));
  CHECK(clip_factor(1, 2) == 1);
}

TEST_CASE("parallel_for really runs on two threads", "[train][runtime]") {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  std::vector<std::thread::id> ids(2);
  at::parallel_for(0, 2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ids[i] = std::this_thread::get_id();
  });
  at::set_num_threads(threads);
  CHECK(ids[0] != ids[1]);
}

TEST_CASE("the average follows its recursion, swaps in place and loads back", "[train][ema]") {
  TempDir dir;
  Stack model;
  model.weight.detach().fill_(1);
  Ema ema(model, .75);
  model.weight.detach().fill_(5);
  ema.update(1);
  CHECK(ema.state()[1].second[0].item<float>() == 2);
  {
    EmaScope scope(&ema);
    CHECK(model.weight[0][0].item<float>() == 2);
  }
  CHECK(model.weight[0][0].item<float>() == 5);
  write_safetensors(dir / "e.safetensors", ema.state());
  Ema other(model, .75);
  other.load_state(SafeTensors::open(dir / "e.safetensors"));
  CHECK(other.state()[0].second[2].item<float>() == 2);
}

TEST_CASE("the decay of an average grows to its end", "[train][ema]") {
  EmaWarmup warmup;
  CHECK(ema_decay(.9, warmup, 1) == .9);
  warmup.rule = "ratio";
  CHECK(ema_decay(.9, warmup, 1) == 0);
  CHECK(ema_decay(.9, warmup, 2) == Approx(2. / 11));
  CHECK(ema_decay(.9, warmup, 1000) == .9);
  warmup.rule = "power";
  warmup.start = 5;
  warmup.min_decay = .1;
  CHECK(ema_decay(.9, warmup, 6) == 0);
  CHECK(ema_decay(.9, warmup, 7) == Approx(1 - std::pow(2, -2. / 3)));
  const auto node = to_config(Json{{"rule", "fast"}});
  CHECK(error_of([&] { parse_params<EmaWarmup>(node, "trainer.ema_warmup"); })
            .find("none, ratio, power") != std::string::npos);
}
