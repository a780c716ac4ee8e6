#include "tests/test.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sin.h>

#include "core/moe/expert_bank.h"
#include "core/moe/layer_check.h"
#include "core/nn/activation.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// S(a; shape) of the micro golden: flat element i = sin(a i + a).
at::Tensor sines(double a, at::IntArrayRef shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return at::sin(at::arange(n, at::kDouble) * a + a).view(shape);
}

std::vector<at::Tensor> gradients(SubLayer& layer, const at::Tensor& x, const at::Tensor& y,
                                  const at::Tensor& cot) {
  for (at::Tensor p : layer.parameters()) p.mutable_grad() = at::Tensor();
  x.mutable_grad() = at::Tensor();
  (y * cot).sum().backward();
  std::vector<at::Tensor> out = {x.grad().clone()};
  for (const at::Tensor& p : layer.parameters())
    out.push_back(p.grad().defined() ? p.grad().clone() : at::zeros_like(p));
  return out;
}

struct Run {
  at::Tensor y;
  std::vector<at::Tensor> grads;
};

Run run_layer(SubLayer& layer, const at::Tensor& x_TC, int64_t out) {
  auto x = x_TC.detach().clone().requires_grad_(true);
  auto context = one_sequence(x.size(0), false, x.device());
  auto y = layer.forward(x, context);
  auto cot = normal({x.size(0), out}, "cot").to(y.options());
  return {y.detach(), gradients(layer, x, y, cot)};
}

MoEConfig as_reference(MoEConfig config) {
  config.backend = "reference";
  return config;
}

void compare_backends(const MoEConfig& config, at::ScalarType dtype, double limit) {
  auto fast = moe_layer(config, 6, 5, dtype), loop = moe_layer(as_reference(config), 6, 5, dtype);
  const auto x = normal({50, 6}, "x").to(dtype);
  const Run a = run_layer(*fast, x, 5), b = run_layer(*loop, x, 5);
  CHECK(relative_error(a.y, b.y) < limit);
  REQUIRE(a.grads.size() == b.grads.size());
  for (size_t i = 0; i < a.grads.size(); ++i) CHECK(relative_error(a.grads[i], b.grads[i]) < limit);
}

/// Central differences of sum(y * cot) along a random direction against the gradient.
void check_slope(const MoEConfig& config) {
  auto layer = moe_layer(config, 4, 4);
  const auto x = normal({12, 4}, "x"), cot = normal({12, 4}, "cot");
  const Run run = run_layer(*layer, x, 4);
  auto tensors = layer->parameters();
  tensors.insert(tensors.begin(), x);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto direction = normal(tensors[i].sizes(), "direction");
    const auto value = [&](double step) {
      at::NoGradGuard no_grad;
      tensors[i].add_(direction, step);
      auto context = one_sequence(12);
      const double loss = (layer->forward(x, context) * cot).sum().item<double>();
      tensors[i].sub_(direction, step);
      return loss;
    };
    const double slope = (value(1e-6) - value(-1e-6)) / 2e-6;
    CHECK((run.grads[i] * direction).sum().item<double>() ==
          Approx(slope).epsilon(1e-5).margin(1e-6));
  }
}

void check_checked(MoEConfig config, at::ScalarType type, at::Device device) {
  INFO(device.str() << " " << c10::toString(type) << " " << config.experts.type);
  auto fast = moe_layer(config, 16, 8, type);
  config.backend = "check";
  auto checked = moe_layer(config, 16, 8, type);
  fast->to(device, type);
  checked->to(device, type);
  const auto x = normal({70, 16}, "x").to(device, type);
  auto context = one_sequence(70, true, device), evaluation = one_sequence(70, false, device);
  CHECK(at::equal(checked->forward(x, context), fast->forward(x, evaluation)));
  std::vector<std::string> names;
  for (const auto& [name, error] : context.reports()) {
    names.push_back(name);
    INFO(name << " " << error);
    CHECK(error >= 0);
    CHECK(error < (type == at::kBFloat16 ? 2e-2 : type == at::kFloat ? 1e-5 : 1e-12));
  }
  CHECK(names == std::vector<std::string>{"check/site/output", "check/site/gradient",
                                          "check/site/gate", "check/site/routing"});
}

}  // namespace

TEST_CASE("MoE layer gives the micro golden of Point-MoE", "[moe]") {
  auto layer = moe_layer(moe_config(3, 2, 2), 4, 4);
  const auto set = [&](const std::string& name, const at::Tensor& value) {
    at::NoGradGuard no_grad;
    view_of(*layer, name).value().copy_(value);
  };
  set("gate.weight", sines(.7, {3, 4}));
  for (int e = 0; e < 3; ++e) {
    const std::string name = "experts." + to_text(e) + ".";
    set(name + "gate_proj.weight", sines(.11 + .1 * e, {8, 4}));
    set(name + "up_proj.weight", sines(.21 + .1 * e, {8, 4}));
    set(name + "down_proj.weight", sines(.31 + .1 * e, {4, 8}));
  }
  const auto x = sines(.37, {5, 4}).requires_grad_(true);
  auto context = one_sequence(5);
  const auto y = layer->forward(x, context);
  const auto row = [](const at::Tensor& t, int64_t i, std::vector<double> expected) {
    CHECK((t[i] - at::tensor(expected, at::kDouble)).abs().max().item<double>() < 1e-8);
  };
  row(y, 0, {2.88164162, -3.39259081, -0.43353447, 5.98157831});
  row(y, 4, {1.34687734, -2.25975115, 0.69947281, 2.24458045});
  y.sum().backward();
  row(view_of(*layer, "gate.weight").grad(), 0, {-.38887775, -.44892831, -.44821853, -.38684447});
  row(x.grad(), 0, {3.94043845, 3.92868692, 3.56177218, 2.86556256});
}

TEST_CASE("fast and reference backends agree in value and gradient", "[moe]") {
  for (const std::string activation : {"relu", "gelu", "silu", "elu", "mish", "leaky_relu"}) {
    for (bool gated : {false, true}) {
      const auto config = moe_config(4, 2, 1.5, gated, activation, !gated, gated ? 1 : 0);
      compare_backends(config, at::kDouble, 1e-12);
      compare_backends(config, at::kFloat, 2e-5);
    }
  }
  compare_backends(moe_config(5, 1), at::kDouble, 1e-12);
  compare_backends(linear_config(4, 2, true, 1), at::kDouble, 1e-12);
  compare_backends(moe_config(3, 3, 2, true, "relu", true), at::kDouble, 1e-12);
}

TEST_CASE("routing weights stay in float beside half operands", "[moe][cuda]") {
  for (const at::Device device : devices()) {
    ExpertBank bank({4, 16, 32, 16, true, false}, Activation::SiLU, true);
    init_parameters(bank, 1);
    bank.to(device, at::kBFloat16);
    const int64_t tokens = 400;
    const auto slots = at::arange(4).expand({tokens, 4}).reshape(-1).to(device),
               offset = at::arange(0, 4 * tokens + 1, 4, at::kLong).to(device),
               weight = at::softmax(normal({tokens, 4}, "w"), 1).view(-1).to(device, at::kFloat),
               x = normal({tokens, 16}, "x").to(device, at::kBFloat16);
    auto o = bank.operands(x, make_assignment(offset, slots, weight, 4));
    CHECK(o.assignment.weight.scalar_type() == at::kFloat);
    const auto output_error = [&](const at::Tensor& rounded) {
      ExpertOperands exact = o;
      for (at::Tensor* t :
           {&exact.x_TC, &exact.assignment.weight, &exact.experts.in_ENC, &exact.experts.out_EDH})
        *t = t->to(at::kDouble);
      auto given = o.assignment;
      given.weight = rounded;
      return relative_l2(expert_mlp(o.x_TC, o.experts, given, o.activation, o.gated),
                         expert_loop(exact));
    };
    const double kept = output_error(o.assignment.weight),
                 rounded = output_error(o.assignment.weight.to(at::kBFloat16));
    INFO(device.str() << " " << kept << " " << rounded);
    CHECK(kept < .9 * rounded);
  }
}

TEST_CASE("the check backend trains on the fast result and reports its error", "[moe][cuda]") {
  for (const at::Device device : devices())
    for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16})
      for (const auto& config :
           {moe_config(4, 2, 2, true, "silu", true, 1), linear_config(4, 2, true, 1)})
        check_checked(config, type, device);
  const CheckedError lost{"output", std::nan(""), 1};
  CHECK_FALSE(lost.holds());
  CHECK(relative_l2(at::zeros({3}), at::zeros({3})) == 0);
}

TEST_CASE("gradients match finite differences", "[moe]") {
  check_slope(moe_config(4, 2, 1, true, "silu"));
  check_slope(moe_config(4, 2, 2, false, "gelu", true, 1));
  check_slope(moe_config(3, 1, 1, true, "mish", true));
  check_slope(linear_config(4, 2, true, 1));
}

TEST_CASE("equal experts are the dense twin", "[moe]") {
  auto layer = moe_layer(moe_config(4, 2), 6, 6);
  MoEConfig dense = moe_config(1, 1);
  dense.router = ConfigNode(std::string("none"));
  auto one = moe_layer(dense, 6, 6);
  at::NoGradGuard no_grad;
  for (const ParamView& view : layer->views()) {
    if (view.name.rfind("experts.", 0) == 0)
      view.value().copy_(view_of(*one, view.name.substr(10)).value());
  }
  const auto x = normal({20, 6}, "x");
  auto context = one_sequence(20);
  CHECK(relative_error(layer->forward(x, context), one->forward(x, context)) < 1e-12);
}

TEST_CASE("tokens may be permuted", "[moe]") {
  auto layer = moe_layer(moe_config(4, 2), 6, 6);
  const auto x = normal({64, 6}, "x");
  std::vector<int64_t> order = RandomStream(3, "order").permutation(64);
  const auto index = at::tensor(order);
  auto context = one_sequence(64);
  const auto y = layer->forward(x, context),
             shuffled = layer->forward(x.index_select(0, index), context);
  CHECK(relative_error(shuffled, y.index_select(0, index)) < 1e-12);
}

TEST_CASE("20 repeats of a layer's forward and backward are bit-equal on every device",
          "[moe][cuda][repeat]") {
  const Deterministic as_in_a_run;
  for (const at::Device device : devices()) {
    for (auto dtype : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const char* granularity : {"token", "sequence"}) {
        auto config = moe_config(4, 2, 2, true, "silu", false, 1);
        config.router.child("granularity") = ConfigNode(std::string(granularity));
        auto layer = moe_layer(config, 16, 16, dtype);
        layer->to(device, dtype);
        const auto x = normal({500, 16}, "x").to(device, dtype);
        const Run first = run_layer(*layer, x, 16);
        bool equal = true;
        for (int repeat = 0; repeat < 20 && equal; ++repeat) {
          const Run again = run_layer(*layer, x, 16);
          equal = at::equal(first.y, again.y);
          for (size_t i = 0; i < first.grads.size(); ++i)
            equal = equal && at::equal(first.grads[i], again.grads[i]);
        }
        INFO(device.str() << " " << c10::toString(dtype) << " " << granularity);
        CHECK(equal);
      }
    }
  }
}

TEST_CASE("no tokens, one token, experts without tokens", "[moe]") {
  for (const auto& config :
       {moe_config(8, 2), as_reference(moe_config(8, 2)),
        moe_config(8, 1, 1, false, "gelu", true, 1), linear_config(8, 2, true)}) {
    auto layer = moe_layer(config, 6, 3);
    for (int64_t tokens : {0, 1, 3}) {
      const Run run = run_layer(*layer, normal({tokens, 6}, "x"), 3);
      CHECK(run.y.sizes() == at::IntArrayRef({tokens, 3}));
      for (const at::Tensor& grad : run.grads) CHECK(at::isfinite(grad).all().item<bool>());
    }
  }
}

TEST_CASE("all experts chosen is the soft mixture", "[moe]") {
  auto layer = moe_layer(moe_config(3, 3, 2, true, "gelu"), 4, 4);
  const auto x = normal({9, 4}, "x");
  auto context = one_sequence(9);
  const auto y = layer->forward(x, context);
  const auto p = at::softmax(at::linear(x, view_of(*layer, "gate.weight").value()), 1);
  auto mix = at::zeros_like(y);
  for (int e = 0; e < 3; ++e) {
    const auto w = [&](const char* part) {
      return view_of(*layer, "experts." + to_text(e) + "." + part + "_proj.weight").value();
    };
    const auto a = activate(at::linear(x, w("gate")), Activation::GELU) * at::linear(x, w("up"));
    mix = mix + at::linear(a, w("down")) * p.narrow(1, e, 1);
  }
  CHECK(relative_error(y, mix) < 1e-12);
}

TEST_CASE("CPU and GPU agree", "[moe][cuda]") {
  for (const at::Device device : devices()) {
    if (device.is_cpu()) continue;
    for (auto dtype : {at::kDouble, at::kFloat, at::kBFloat16}) {
      const auto config = moe_config(4, 2, 2, true, "gelu", dtype == at::kDouble, 1);
      auto cpu = moe_layer(config, 16, 16, dtype), gpu = moe_layer(config, 16, 16, dtype);
      cpu->to(at::kCPU, at::kDouble);
      gpu->to(device, dtype);
      const auto x = normal({333, 16}, "x").to(dtype);
      const Run expected = run_layer(*cpu, x.to(at::kDouble), 16),
                got = run_layer(*gpu, x.to(device), 16);
      const double limit = dtype == at::kDouble ? 1e-12 : dtype == at::kFloat ? 2e-5 : 0.05;
      CHECK(relative_error(got.y, expected.y) < limit);
      for (size_t i = 0; i < got.grads.size(); ++i) {
        CHECK(relative_error(got.grads[i], expected.grads[i]) < limit);
      }
      CHECK(at::equal(run_layer(*gpu, x.to(device), 16).y, got.y));
    }
  }
}

TEST_CASE("published views, counts and wrong configs", "[moe]") {
  auto layer = moe_layer(moe_config(2, 1, 1, true, "relu", false, 1), 4, 4, at::kFloat);
  std::vector<std::string> names;
  for (const auto& view : layer->views()) names.push_back(view.name);
  for (const char* name : {"gate.weight", "gate.score_accumulator", "expert_token_counter",
                           "experts.1.up_proj.weight", "shared_experts.down_proj.weight"}) {
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  CHECK(view_of(*layer, "expert_token_counter").value().scalar_type() == at::kLong);
  CHECK_FALSE(view_of(*layer, "gate.score_accumulator").trainable);
  CHECK(error_of([] {
          moe_layer(moe_config(2, 3), 4, 4);
        }).find("more experts per token than experts") != std::string::npos);
  CHECK(error_of([] { moe_layer(moe_config(2, 1, 0.01), 4, 4); }).find("hidden width") !=
        std::string::npos);
  auto config = moe_config(2, 1);
  config.router.child("scorer") = ConfigNode(std::string("liner"));
  CHECK(error_of([&] { moe_layer(config, 4, 4); }).find("linear") != std::string::npos);
  CHECK(error_of([&] {
          auto context = one_sequence(3);
          moe_layer(moe_config(2, 1), 4, 4)->forward(normal({3, 5}, "x"), context);
        }).find("site") != std::string::npos);
}
