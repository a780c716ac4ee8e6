#include "domains/point_cloud/model/point_norm.h"

#include <ATen/core/grad_mode.h>

#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

const std::vector<int64_t> kOffset = {0, 5, 12, 20};

PointNormConfig prompt(bool adaptive, PointNormConfig::Kind kind = PointNormConfig::Kind::Batch) {
  auto config = kind == PointNormConfig::Kind::Batch ? PointNormConfig{} : PointNormConfig::layer();
  config.prompt = PromptNormConfig{2, true, adaptive, true, 3};
  return config;
}

/// Norms that differ from each other and from the identity.
std::unique_ptr<PointNorm> make(const PointNormConfig& config) {
  auto norm = std::make_unique<PointNorm>(4, config);
  norm->to(at::kCPU, at::kDouble);
  at::NoGradGuard no_grad;
  for (const ParamView& view : norm->views()) {
    if (view.value().is_floating_point() && !view.name.ends_with("running_var"))
      view.value().copy_(normal(view.value().sizes(), view.name));
  }
  return norm;
}

ForwardContext with_conditions(std::vector<int64_t> condition) {
  ForwardContext context;
  context.condition = std::move(condition);
  return context;
}

}  // namespace

TEST_CASE("a mixed batch is normalised condition by condition", "[point_cloud]") {
  const auto kind = GENERATE(PointNormConfig::Kind::Batch, PointNormConfig::Kind::Layer);
  const auto mixed = make(prompt(false, kind)), apart = make(prompt(false, kind));
  const auto x = normal({20, 4}, "x");
  const auto context = with_conditions({1, 0, 1});
  const auto y = mixed->forward(x, kOffset, context);
  const auto outer = at::cat({x.narrow(0, 0, 5), x.narrow(0, 12, 8)});
  const auto y1 = apart->forward(outer, {0, 13}, with_conditions({1}));
  const auto y0 = apart->forward(x.narrow(0, 5, 7), {0, 7}, with_conditions({0}));
  CHECK(relative_error(y, at::cat({y1.narrow(0, 0, 5), y0, y1.narrow(0, 5, 8)})) == 0);
  for (const ParamView& view : mixed->views()) {
    INFO(view.name);
    CHECK(relative_error(view.value(), view_of(*apart, view.name).value()) == 0);
  }
}

TEST_CASE("conditions that are absent keep their buffers and get no gradient", "[point_cloud]") {
  const auto norm = make(prompt(false));
  const auto before = view_of(*norm, "norm.0.running_mean").value().clone();
  norm->forward(normal({20, 4}, "x"), kOffset, with_conditions({1, 1, 1})).sum().backward();
  CHECK(at::equal(before, view_of(*norm, "norm.0.running_mean").value()));
  CHECK(view_of(*norm, "norm.0.num_batches_tracked").value().item<int64_t>() == 0);
  CHECK_FALSE(view_of(*norm, "norm.0.weight").grad().defined());
  CHECK(view_of(*norm, "norm.1.num_batches_tracked").value().item<int64_t>() == 1);
}

TEST_CASE("an adaptive norm shifts and scales each cloud by its own context", "[point_cloud]") {
  const auto norm = make(prompt(true));
  norm->train(false);
  const auto x = normal({20, 4}, "x");
  auto context = with_conditions({0, 0, 1});
  context.cond = normal({3, 3}, "context").requires_grad_(true);
  const auto y = norm->forward(x, kOffset, context);
  for (int64_t b = 0; b < 3; ++b) {
    const auto at = static_cast<size_t>(b);
    const int64_t length = kOffset[at + 1] - kOffset[at];
    auto alone = with_conditions({context.condition[at]});
    alone.cond = context.cond.narrow(0, b, 1);
    const auto part = norm->forward(x.narrow(0, kOffset[at], length), {0, length}, alone);
    CHECK(relative_error(y.narrow(0, kOffset[at], length), part) < 1e-14);
  }
  y.sum().backward();
  CHECK(context.cond.grad().abs().min().item<double>() > 0);
}

TEST_CASE("a coupled prompt norm is one norm under its published name", "[point_cloud]") {
  auto config = prompt(true);
  config.prompt->decouple = false;
  config.prompt->affine = false;
  std::vector<std::string> names;
  for (const ParamView& view : PointNorm(4, config).views()) names.push_back(view.name);
  CHECK(names == std::vector<std::string>{"norm.running_mean", "norm.running_var",
                                          "norm.num_batches_tracked", "modulation.1.weight",
                                          "modulation.1.bias"});
}

TEST_CASE("missing conditions and contexts are named", "[point_cloud]") {
  const auto x = normal({20, 4}, "x");
  const auto error = [&](const PointNormConfig& config, const ForwardContext& context) {
    return error_of([&] { make(config)->forward(x, kOffset, context); });
  };
  CHECK(error(prompt(false), {}).find("got 0 for 3 clouds") != std::string::npos);
  CHECK(error(prompt(false), with_conditions({0, 2, 0})).find("got 2, expected 0 to 1") !=
        std::string::npos);
  CHECK(error(prompt(true), with_conditions({0, 1, 0})).find("[clouds, 3]") != std::string::npos);
}
