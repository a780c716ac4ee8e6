#include "domains/diffusion/ddpm/bound.h"
#include "tests/domains/diffusion/gaussian_images.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

at::Tensor steps(std::vector<int64_t> t) { return at::tensor(t, at::kLong); }

DdpmProcess process_of(DdpmVariance variance, const std::string& respacing = "") {
  return {"linear", 1000, respacing, DdpmPredict::Eps, variance};
}

}  // namespace

TEST_CASE("schedules leave almost no signal, betas stay below one", "[diffusion][ddpm]") {
  const std::string name = GENERATE("linear", "cosine");
  const DdpmTables tables(ddpm_betas(name, 1000));
  CHECK(tables.alphas_cumprod[999].item<double>() < 1e-4);
  CHECK((tables.betas > 0).all().item<bool>());
  CHECK(tables.betas.max().item<double>() < 1);
  CHECK((tables.alphas_cumprod_prev - tables.alphas_cumprod > 0).all().item<bool>());
}

TEST_CASE("bad schedules are refused", "[diffusion][ddpm]") {
  CHECK(error_of([] { ddpm_betas("linear", 20); }).find("at least 21") != std::string::npos);
  CHECK(error_of([] { ddpm_betas("sigmoid", 20); }).find("linear, cosine") != std::string::npos);
  CHECK(error_of([] { ddpm_betas("cosine", 0); }).find("at least 1") != std::string::npos);
}

TEST_CASE("a process of one step has finite tables", "[diffusion][ddpm]") {
  for (const auto variance :
       {DdpmVariance::FixedSmall, DdpmVariance::FixedLarge, DdpmVariance::LearnedRange}) {
    const auto process = process_of(variance, "1");
    const auto x = normal({2, 3, 4, 4}, "x");
    const auto step = process.reverse(at::cat({x, x}, 1), x, steps({0, 0}), false);
    CHECK(step.mean.isfinite().all().item<bool>());
    CHECK(step.log_variance.isnan().any().item<bool>() == false);
  }
}

TEST_CASE("a respaced process follows the long one at the steps it keeps", "[diffusion][ddpm]") {
  const auto whole = process_of(DdpmVariance::FixedSmall),
             kept = process_of(DdpmVariance::FixedSmall, "ddim10");
  const auto x = normal({10, 1, 4, 4}, "x"), noise = normal({10, 1, 4, 4}, "noise");
  const auto at_kept = steps({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto expected = whole.noisy(x, noise, at_kept * 100);
  CHECK(relative_error(kept.noisy(x, noise, at_kept), expected) < 1e-12);
  CHECK(kept.time(9) == 900);
}

TEST_CASE("the network sees times of 0 to 1000 whatever the number of steps", "[diffusion][ddpm]") {
  const DdpmProcess process("cosine", 50, "", DdpmPredict::Eps, DdpmVariance::FixedSmall);
  const auto times = process.times(steps({0, 1, 49}), at::empty({0}, at::kFloat));
  CHECK(times.equal(at::tensor({0.f, 20.f, 980.f})));
}

TEST_CASE("too few channels are named", "[diffusion][ddpm]") {
  const auto process = process_of(DdpmVariance::LearnedRange);
  const auto x = normal({1, 4, 2, 2}, "x");
  CHECK(error_of([&] {
          process.reverse(x, x, steps({5}), false);
        }).find("expected at least 8 channels") != std::string::npos);
}

TEST_CASE("the learned variance gets a gradient from the bound, the mean from the error alone",
          "[diffusion][ddpm]") {
  const auto process = process_of(DdpmVariance::LearnedRange);
  const auto x0 = normal({3, 2, 4, 4}, "x0"), noise = normal({3, 2, 4, 4}, "noise");
  const auto t = steps({0, 10, 900}), x_t = process.noisy(x0, noise, t);
  const auto out = normal({3, 4, 4, 4}, "out").requires_grad_(true);
  const auto loss = ddpm_loss(process, DdpmLossKind::Mse, out, x0, noise, x_t, t);
  loss.vb.sum().backward();
  CHECK(out.grad().narrow(1, 0, 2).abs().max().item<double>() == 0);
  CHECK(out.grad().narrow(1, 2, 2).abs().max().item<double>() > 0);
}

TEST_CASE("the bound of a perfect network is the entropy of the images", "[diffusion][ddpm]") {
  const GaussianImages images{0, .3};
  const auto process = process_of(DdpmVariance::LearnedRange, "50");
  const auto& tables = process.tables();
  // The reverse steps of Gaussian images are Gaussian, with this variance.
  const auto signal = tables.alphas_cumprod * std::pow(images.deviation, 2);
  const auto left = 1 - tables.alphas_cumprod;
  const auto unknown = std::pow(images.deviation, 2) * left / (signal + left);
  const auto variance = tables.posterior_variance + tables.posterior_mean_coef1.square() * unknown;
  const auto low = tables.posterior_log_variance_clipped;
  const auto v = 2 * (variance.log() - low) / (tables.log_betas - low) - 1;
  const auto model = [&](const at::Tensor& x, int64_t i) {
    return at::cat({images.eps_at(process, x, i), v[i].expand_as(x)}, 1);
  };
  const auto x0 = images.deviation * normal({64, 1, 8, 8}, "x0");
  const auto bound = ddpm_bound(process, model, x0, normal({50, 64, 1, 8, 8}, "noise"), false);
  // Of bins 2/255 wide: log2(255 / 2) + log2(deviation sqrt(2 pi e)).
  const double bits = std::log2(255. / 2) + std::log2(images.deviation) + 2.0471;
  CHECK(bound.total_bpd.mean().item<double>() == Approx(bits).margin(.05));
  CHECK(bound.prior_bpd.max().item<double>() < 1e-3);
}
