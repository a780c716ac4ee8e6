// What holds for any weights of a VAE: derivatives, identities of the posterior, refusals.

#include <ATen/core/grad_mode.h>

#include "domains/diffusion/vae/autoencoder_kl.h"
#include "domains/diffusion/vae/loss.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

VaeParams tiny(bool whole = true) {
  VaeParams p;
  p.block_out_channels = {4, 6};
  p.layers_per_block = 1;
  p.latent_channels = 2;
  p.norm_num_groups = 2;
  p.use_quant_conv = p.mid_block_attention = whole;
  return p;
}

std::unique_ptr<AutoencoderKl> made(const VaeParams& params) {
  auto vae = std::make_unique<AutoencoderKl>(params);
  init_parameters(*vae, 1);
  vae->to(at::kCPU, at::kDouble);
  return vae;
}

/// The derivative of `loss` along a random direction of `x`, by differences.
template <class Loss>
double slope(const at::Tensor& x, const at::Tensor& direction, Loss&& loss) {
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  at::Tensor place = x;
  place.add_(direction, kStep);
  const double above = loss();
  place.add_(direction, -2 * kStep);
  const double below = loss();
  place.add_(direction, kStep);
  return (above - below) / (2 * kStep);
}

at::Tensor moments_of(const std::string& name) { return 2 * normal({3, 4, 2, 2}, name); }

}  // namespace

TEST_CASE("gradients of the whole VAE are those of its loss", "[diffusion][vae]") {
  const std::string kind = GENERATE("mse_mean", "l1_sum");
  const auto vae = made(tiny());
  const auto x = normal({2, 3, 4, 6}, "x"), noise = normal({2, 2, 2, 3}, "noise");
  const auto loss = [&] {
    const VaePosterior posterior(vae->encode(x));
    return vae_loss({kind, .1}, vae->decode(posterior.sample(noise)), x, posterior).total;
  };
  loss().backward();
  for (const ParamView& view : vae->views()) {
    INFO(view.name);
    const auto direction = normal(view.value().sizes(), view.name);
    const double expected =
        slope(view.value().detach(), direction, [&] { return loss().template item<double>(); });
    CHECK((view.grad() * direction).sum().item<double>() ==
          Approx(expected).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("a log variance beyond its range has no gradient at all", "[diffusion][vae]") {
  auto moments = moments_of("m").to(at::kFloat);
  moments.select(1, 2).fill_(-31);
  moments.select(1, 3).fill_(21);
  moments.requires_grad_(true);
  const VaePosterior posterior(moments);
  (posterior.kl().sum() + posterior.sample(normal({3, 2, 2, 2}, "n")).sum()).backward();
  CHECK(moments.grad().narrow(1, 2, 2).abs().max().item<double>() == 0);
  CHECK(moments.grad().narrow(1, 0, 2).abs().min().item<double>() > 0);
  CHECK(posterior.logvar().min().item<double>() == -30);
  CHECK(posterior.logvar().max().item<double>() == 20);
}

TEST_CASE("divergences of the posterior agree with each other", "[diffusion][vae]") {
  const VaePosterior p(moments_of("p")), q(moments_of("q"));
  const VaePosterior standard(at::zeros({3, 4, 2, 2}, at::kDouble));
  CHECK(relative_error(p.kl(standard), p.kl()) < 1e-14);
  CHECK(p.kl(p).abs().max().item<double>() == 0);
  CHECK(standard.kl().abs().max().item<double>() == 0);
  CHECK(p.kl(q).min().item<double>() > 0);
  // KL(p, q) = E_p[-log q] - E_p[-log p]; the expectation of a quadratic is exact at mean +- std.
  const auto mean_nll = [&](const VaePosterior& of) {
    const auto one = at::ones({3, 2, 2, 2}, at::kDouble);
    return .5 * (of.nll(p.sample(one)) + of.nll(p.sample(-one)));
  };
  CHECK(relative_error(mean_nll(q) - mean_nll(p), p.kl(q)) < 1e-12);
}

TEST_CASE("half types are computed in single precision", "[diffusion][vae]") {
  const auto moments = moments_of("m").to(at::kBFloat16);
  const VaePosterior half(moments), whole(moments.to(at::kFloat));
  CHECK(half.kl().equal(whole.kl()));
  CHECK(half.kl().scalar_type() == at::kFloat);
}

TEST_CASE("images of a batch do not see each other in the VAE", "[diffusion][vae]") {
  const at::NoGradGuard no_grad;
  const auto vae = made(tiny(GENERATE(true, false)));
  const auto x = normal({3, 3, 8, 4}, "x");
  const auto moments = vae->encode(x);
  CHECK(moments.sizes() == at::IntArrayRef{3, 4, 4, 2});
  CHECK(relative_error(vae->encode(x.narrow(0, 1, 1)), moments.narrow(0, 1, 1)) < 1e-12);
  const auto latent = VaePosterior(moments).mode();
  CHECK(vae->decode(latent).sizes() == x.sizes());
}

TEST_CASE("the VAE refuses what does not fit", "[diffusion][vae]") {
  const auto vae = made(tiny());
  const auto error = [&](at::IntArrayRef sizes) {
    return error_of([&] { vae->encode(at::zeros(sizes, at::kDouble)); });
  };
  CHECK(
      error({1, 3, 5, 4}).find("got [1, 3, 5, 4], expected [B, 3, H, W], H and W multiples of 2") !=
      std::string::npos);
  CHECK(error({1, 1, 4, 4}).find("[B, 3, H, W]") != std::string::npos);
  CHECK(error({3, 4, 4}).find("[3, 4, 4]") != std::string::npos);
  CHECK(error({1, 3, 0, 4}).find("[1, 3, 0, 4]") != std::string::npos);
  CHECK(error_of([&] {
          vae->decode(at::zeros({1, 3, 2, 2}, at::kDouble));
        }).find("[B, 2, h, w]") != std::string::npos);
  CHECK(error_of([&] {
          VaePosterior(at::zeros({1, 3, 2, 2}));
        }).find("[B, 2z, h, w]") != std::string::npos);
  CHECK(error_of([&] {
          VaePosterior(at::zeros({1, 4, 2, 2})).sample(at::zeros({1, 4, 2, 2}));
        }).find("noise") != std::string::npos);
  VaeParams params = tiny();
  params.norm_num_groups = 4;
  CHECK(error_of([&] { AutoencoderKl{params}; }).find("got 6, expected multiples of") !=
        std::string::npos);
  params.block_out_channels = {};
  CHECK(error_of([&] { AutoencoderKl{params}; }).find("got 0 levels") != std::string::npos);
}
