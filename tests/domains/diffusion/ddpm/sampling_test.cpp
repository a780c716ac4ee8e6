#include "domains/diffusion/ddpm/sampling.h"

#include "tests/domains/diffusion/gaussian_images.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

const GaussianImages kImages;

DdpmProcess process_of(const std::string& respacing,
                       DdpmVariance variance = DdpmVariance::FixedSmall) {
  return {"linear", 1000, respacing, DdpmPredict::Eps, variance};
}

DdpmModel model_of(const DdpmProcess& process) {
  return [&](const at::Tensor& x, int64_t i) { return kImages.eps_at(process, x, i); };
}

at::Tensor draw(int64_t k) { return normal({64, 1, 8, 8}, cat("draw ", k)); }

void check_statistics(const at::Tensor& x) {
  CHECK(x.mean().item<double>() == Approx(kImages.mean).margin(.02));
  CHECK(x.std().item<double>() == Approx(kImages.deviation).epsilon(.05));
}

}  // namespace

TEST_CASE("walks end in the distribution that the network knows", "[diffusion][ddpm]") {
  const auto process = process_of("250");
  const auto model = model_of(process);
  check_statistics(ancestral(process, draw(-1), model, draw, false));
  check_statistics(ddim(process, draw(-1), model, draw, 0, false));
  check_statistics(ddim(process, draw(-1), model, draw, .5, false));
  const auto large = process_of("250", DdpmVariance::FixedLarge);
  check_statistics(ancestral(large, draw(-1), model_of(large), draw, false));
}

TEST_CASE("DDIM with eta 1 is the ancestral walk", "[diffusion][ddpm]") {
  const auto process = process_of("20");
  const auto model = model_of(process);
  for (const bool clip : {false, true}) {
    const auto a = ancestral(process, draw(-1), model, draw, clip),
               b = ddim(process, draw(-1), model, draw, 1, clip);
    CHECK(relative_error(b, a) < 1e-11);
  }
}

TEST_CASE("the way back to the noise undoes DDIM", "[diffusion][ddpm]") {
  const auto process = process_of("");
  const auto model = model_of(process);
  const auto images = kImages.mean + kImages.deviation * draw(7);
  const auto noise = ddim_reverse(process, images, model, false);
  CHECK(relative_error(ddim(process, noise, model, draw, 0, false), images) < .02);
  CHECK(noise.std().item<double>() == Approx(1).epsilon(.05));
}

TEST_CASE("an observer sees every state and what it points to", "[diffusion][ddpm]") {
  const auto process = process_of("5");
  std::vector<int64_t> steps;
  at::Tensor last, image;
  const auto end = ancestral(process, draw(-1), model_of(process), draw, true,
                             [&](int64_t step, const at::Tensor& x, const at::Tensor& x0) {
                               steps.push_back(step);
                               last = x;
                               CHECK(x0.defined() == (step > 0));
                               if (x0.defined()) CHECK(x0.abs().max().item<double>() <= 1);
                             });
  CHECK(steps == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(last.is_same(end));
}

TEST_CASE("noise is asked once a step, never at the last", "[diffusion][ddpm]") {
  const auto process = process_of("5");
  std::vector<int64_t> asked;
  const auto noise = [&](int64_t k) {
    asked.push_back(k);
    return draw(k);
  };
  ancestral(process, draw(-1), model_of(process), noise, false);
  CHECK(asked == std::vector<int64_t>{0, 1, 2, 3});
  asked.clear();
  ddim(process, draw(-1), model_of(process), noise, 0, false);
  CHECK(asked.empty());
}
