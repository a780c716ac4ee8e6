#include "domains/diffusion/sampler.h"

#include "core/io/json.h"
#include "domains/diffusion/ddpm/objective.h"
#include "tests/domains/diffusion/gaussian_images.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

const GaussianImages kImages;
constexpr std::array<int64_t, 3> kShape = {2, 4, 4};

std::unique_ptr<Sampler> sampler(const Json& objective, const Json& config) {
  return objectives()
      .make(to_config(objective), "task.objective")
      ->make_sampler(to_config(config), "task.sampler");
}

const Json kFixed = {{"type", "ddpm"}, {"variance", "fixed_small"}};

/// Of the process `kFixed`, by the time that it is asked.
ConditionalNetwork noise_network() {
  return [process = ddpm_process({.variance = "fixed_small"}, "")](
             const at::Tensor& x, const at::Tensor& t, const at::Tensor&) {
    return kImages.eps_at(process, x, std::llround(t[0].item<double>()));
  };
}

std::vector<RandomStream> streams(const std::vector<uint64_t>& images, uint64_t seed = 1) {
  std::vector<RandomStream> out;
  for (const uint64_t image : images) out.emplace_back(seed, "sample", 0, image);
  return out;
}

at::Tensor sampled(const Sampler& sampler, const ConditionalNetwork& network,
                   const std::vector<RandomStream>& images) {
  return sampler.sample(network, start_noise(images, kShape, at::kDouble), images);
}

struct Pair {
  std::unique_ptr<Sampler> sampler;
  ConditionalNetwork network;
};
std::vector<Pair> all_samplers() {
  std::vector<Pair> out;
  out.push_back({sampler("flow", {{"type", "euler"}, {"steps", 20}}), kImages.velocity()});
  out.push_back({sampler("flow", {{"type", "heun"}, {"steps", 20}}), kImages.velocity()});
  out.push_back({sampler(kFixed, {{"type", "ancestral"}, {"steps", 20}}), noise_network()});
  out.push_back(
      {sampler(kFixed, {{"type", "ddim"}, {"steps", "ddim20"}, {"eta", .5}}), noise_network()});
  return out;
}

std::vector<uint64_t> first(uint64_t count) {
  std::vector<uint64_t> out(count);
  std::iota(out.begin(), out.end(), uint64_t{0});
  return out;
}

}  // namespace

TEST_CASE("flow samplers carry the noise along the exact path", "[diffusion][sampler]") {
  const auto images = streams(first(8));
  const auto start = start_noise(images, kShape, at::kDouble);
  const auto expected = kImages.mean + kImages.deviation * start;
  const auto error = [&](const Json& config) {
    const auto made = sampler("flow", config);
    return relative_error(made->sample(kImages.velocity(), start, images), expected);
  };
  CHECK(error({{"type", "euler"}, {"steps", 400}}) < .01);
  CHECK(error({{"type", "heun"}, {"steps", 50}}) < 1e-3);
  CHECK(error({{"type", "heun"}, {"steps", 50}, {"sample_shift", 2}, {"last_step", "heun"}}) <
        1e-3);
}

TEST_CASE("ddpm samplers draw from the distribution that the network knows",
          "[diffusion][sampler]") {
  const Json config = GENERATE(Json{{"type", "ancestral"}}, Json{{"type", "ddim"}},
                               Json{{"type", "ddim"}, {"steps", 250}, {"eta", 1}});
  const auto x = sampled(*sampler(kFixed, config), noise_network(), streams(first(100)));
  CHECK(x.mean().item<double>() == Approx(kImages.mean).margin(.03));
  CHECK(x.std().item<double>() == Approx(kImages.deviation).epsilon(.06));
}

TEST_CASE("equal seeds give equal images, whatever else is in the batch", "[diffusion][sampler]") {
  for (const auto& [made, network] : all_samplers()) {
    const auto together = sampled(*made, network, streams({3, 5, 9}));
    CHECK(together.equal(sampled(*made, network, streams({3, 5, 9}))));
    CHECK(together.narrow(0, 1, 1).equal(sampled(*made, network, streams({5}))));
    CHECK_FALSE(together.equal(sampled(*made, network, streams({3, 5, 9}, 2))));
  }
}

TEST_CASE("observers see steps and times down to zero", "[diffusion][sampler]") {
  for (const auto& [made, network] : all_samplers()) {
    const auto images = streams({1});
    std::vector<double> times;
    at::Tensor last;
    const auto end = made->sample(network, start_noise(images, kShape, at::kDouble), images,
                                  [&](int64_t step, double t, const at::Tensor& x) {
                                    CHECK(step == std::ssize(times));
                                    times.push_back(t);
                                    last = x;
                                  });
    CHECK(std::ssize(times) == made->steps() + 1);
    CHECK(std::is_sorted(times.rbegin(), times.rend()));
    CHECK(times.back() == 0);
    CHECK(times.front() > 900);
    CHECK(last.equal(end));
  }
}

TEST_CASE("samplers keep the type of the noise and build no graph", "[diffusion][sampler]") {
  const auto images = streams({1, 2});
  const auto start = start_noise(images, kShape, at::kFloat);
  for (const auto& [made, network] : all_samplers()) {
    const auto x = made->sample(network, start.clone().requires_grad_(true), images);
    CHECK(x.scalar_type() == at::kFloat);
    CHECK_FALSE(x.requires_grad());
  }
}

TEST_CASE("noise is standard normal, another at every step", "[diffusion][sampler]") {
  const auto images = streams(first(50));
  const auto start = start_noise(images, {3, 8, 8}, at::kDouble);
  CHECK(start.mean().item<double>() == Approx(0).margin(.03));
  CHECK(start.std().item<double>() == Approx(1).epsilon(.03));
  CHECK_FALSE(start.equal(image_noise(images, {3, 8, 8}, at::kDouble, 1)));
  CHECK(start.equal(image_noise(images, {3, 8, 8}, at::kDouble, 0)));
}

TEST_CASE("as many streams as images", "[diffusion][sampler]") {
  const auto start = start_noise(streams({1, 2}), kShape, at::kDouble);
  for (const auto& [made, network] : all_samplers())
    CHECK(error_of([&] {
            made->sample(network, start, streams({1}));
          }).find("expected [1, C, S, S]") != std::string::npos);
}
