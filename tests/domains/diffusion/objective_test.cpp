#include "domains/diffusion/objective.h"

#include "core/io/json.h"
#include "domains/diffusion/flow.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::unique_ptr<Objective> objective(const Json& config) {
  return objectives().make(to_config(config), "task.objective");
}

/// Times at which a network is asked for the quantiles `u`, one image each.
std::vector<double> asked_times(const Json& config, std::vector<double> u, bool evenly = false) {
  const auto made = objective(config);
  const auto count = static_cast<int64_t>(u.size());
  const auto z = normal({count, 2, 2, 2}, "z"), noise = normal({count, 2, 2, 2}, "noise");
  std::vector<double> out;
  const Denoiser denoiser = [&](const at::Tensor& x, const at::Tensor& t) {
    CHECK(t.scalar_type() == x.scalar_type());
    for (int64_t i = 0; i < count; ++i) out.push_back(t[i].item<double>());
    return at::cat({x, x}, 1);
  };
  const auto u_B = at::tensor(u, at::kDouble);
  const auto loss =
      evenly ? made->error_at(denoiser, z, noise, u_B) : made->error(denoiser, z, noise, u_B);
  CHECK(loss.sizes() == at::IntArrayRef{count});
  return out;
}

double share_below(const Json& config, double time) {
  std::vector<double> u;
  for (int i = 0; i < 1000; ++i) u.push_back((i + .5) / 1000);
  const auto times = asked_times(config, u);
  return static_cast<double>(
             std::count_if(times.begin(), times.end(), [&](double t) { return t < time; })) /
         1000;
}

using Times = std::vector<double>;

}  // namespace

TEST_CASE("flow: quantiles go through the density and the shift", "[diffusion][objective]") {
  CHECK(asked_times({{"type", "flow"}, {"density", "uniform"}}, {.25, .5}) == Times{250, 500});
  CHECK(asked_times("flow", {.5}).at(0) == Approx(500));
  // Logit-normal: 84.13 % lie below sigmoid(1).
  CHECK(share_below("flow", 731.0586) == Approx(.8413).margin(.002));
  CHECK(asked_times({{"type", "flow"}, {"shift", 3}}, {.5}).at(0) == Approx(750));
  CHECK(share_below({{"type", "flow"}, {"density", "mode"}, {"mode_scale", 0}}, 300) ==
        Approx(.3).margin(.002));
  const Json mode = {{"type", "flow"}, {"density", "mode"}};
  CHECK(share_below(mode, 300) < .3);
  const auto times = asked_times(mode, {.1, .2, .5, .8, .9});
  CHECK(std::is_sorted(times.begin(), times.end()));
}

TEST_CASE("flow: evaluation times are those given", "[diffusion][objective]") {
  CHECK(asked_times({{"type", "flow"}, {"shift", 3}}, {.25, .5}, true) == Times{250, 500});
}

TEST_CASE("flow: the loss is that of the velocity", "[diffusion][objective]") {
  const auto z = normal({3, 2, 4, 4}, "z"), noise = normal({3, 2, 4, 4}, "noise");
  const auto u = at::tensor({.1, .5, .9}, at::kDouble);
  const auto right = [&](const at::Tensor&, const at::Tensor&) { return noise - z; };
  CHECK(objective("flow")->error(right, z, noise, u).abs().max().item<double>() == 0);
  const auto off = [&](const at::Tensor&, const at::Tensor&) { return noise - z + 2; };
  CHECK(relative_error(objective("flow")->error(off, z, noise, u), at::full({3}, 4., u.options())) <
        1e-12);
}

TEST_CASE("ddpm: quantiles are whole steps", "[diffusion][objective]") {
  CHECK(asked_times("ddpm", {0, .0015, .5, .9999999}) == Times{0, 1, 500, 999});
  const Json short_one = {{"type", "ddpm"}, {"steps", 50}, {"schedule", "cosine"}};
  CHECK(asked_times(short_one, {.02, .999}, true) == Times{20, 980});
}

TEST_CASE("ddpm: the right noise has no squared error", "[diffusion][objective]") {
  const auto z = normal({3, 2, 4, 4}, "z"), noise = normal({3, 2, 4, 4}, "noise");
  const auto u = at::tensor({.1, .5, .9}, at::kDouble);
  const auto right = [&](const at::Tensor&, const at::Tensor&) { return noise; };
  const auto fixed = objective({{"type", "ddpm"}, {"variance", "fixed_small"}});
  CHECK(fixed->error(right, z, noise, u).abs().max().item<double>() == 0);
  const auto image = [&](const at::Tensor&, const at::Tensor&) { return z; };
  const auto direct = objective({{"type", "ddpm"}, {"variance", "fixed_large"}, {"predict", "x0"}});
  CHECK(direct->error(image, z, noise, u).abs().max().item<double>() == 0);
}

TEST_CASE("objectives say what they need", "[diffusion][objective]") {
  CHECK(objective("flow")->out_channels(4) == 4);
  CHECK(objective("ddpm")->out_channels(4) == 8);
  CHECK(objective({{"type", "ddpm"}, {"variance", "fixed_large"}})->out_channels(4) == 4);
  CHECK(objective("ddpm")->name() == "ddpm");
}

TEST_CASE("single precision stays close to double", "[diffusion][objective]") {
  const std::string type = GENERATE("flow", "ddpm");
  const auto z = normal({4, 2, 4, 4}, "z"), noise = normal({4, 2, 4, 4}, "noise");
  const auto u = at::tensor({.001, .2, .6, .99}, at::kDouble);
  const Denoiser denoiser = [](const at::Tensor& x, const at::Tensor& t) {
    return at::cat({x * .5, (t / 1000).view({-1, 1, 1, 1}) + x * .1}, 1);
  };
  const auto exact = objective(type)->error(denoiser, z, noise, u);
  const auto single = objective(type)->error(denoiser, z.to(at::kFloat), noise.to(at::kFloat), u);
  CHECK(single.scalar_type() == at::kFloat);
  CHECK(relative_error(single.to(at::kDouble), exact) < 1e-5);
  const Denoiser half = [&](const at::Tensor& x, const at::Tensor& t) {
    return denoiser(x, t).to(at::kBFloat16);
  };
  const auto coarse = objective(type)->error(half, z.to(at::kFloat), noise.to(at::kFloat), u);
  CHECK(coarse.scalar_type() == at::kFloat);
  CHECK(relative_error(coarse.to(at::kDouble), exact) < .02);
}

TEST_CASE("wrong objectives and samplers are refused with the valid ones",
          "[diffusion][objective]") {
  const auto error = [](const Json& config) { return error_of([&] { objective(config); }); };
  CHECK(error("edm").find("flow, ddpm") != std::string::npos);
  CHECK(error({{"type", "ddpm"}, {"predict", "v"}}).find("eps, x0") != std::string::npos);
  CHECK(error({{"type", "ddpm"}, {"steps", 10}}).find("at least 21") != std::string::npos);
  CHECK(error({{"type", "flow"}, {"betas", 1}}).find("density") != std::string::npos);
  const auto sampler = [](const std::string& type, const Json& config) {
    return error_of([&] { objective(type)->make_sampler(to_config(config), "task.sampler"); });
  };
  CHECK(sampler("flow", "ddim").find("euler, heun") != std::string::npos);
  CHECK(sampler("ddpm", "euler").find("ancestral, ddim") != std::string::npos);
  CHECK(sampler("ddpm", {{"type", "ddim"}, {"steps", "ddim60"}}).find("[59, 63]") !=
        std::string::npos);
  CHECK(sampler("flow", {{"type", "heun"}, {"last_step", "mean"}}).find("euler, heun") !=
        std::string::npos);
  CHECK(sampler("flow", {{"type", "euler"}, {"guidance_rule", "first2"}}).find("first3") !=
        std::string::npos);
}
