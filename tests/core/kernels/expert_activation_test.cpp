#include "core/kernels/expert_activation.h"

#include "tests/test.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rand.h>

#include <limits>

#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

constexpr int64_t kWidth = 83;  // no multiple of a vector

struct Both {
  at::Tensor a;
  ExpertActivationGrad grad;
};
Both both(const at::Tensor& z, const at::Tensor& da, const at::Tensor& weight,
          Activation activation, bool gated) {
  const auto row = at::arange(z.size(0), at::kLong);
  const ExpertHidden hidden{z, {}, row, row, activation, gated};
  return {expert_activation(hidden), expert_activation_backward(hidden, da, weight)};
}

double worst(const at::Tensor& got, const at::Tensor& expected) {
  return (got.to(at::kDouble) - expected).abs().max().item<double>();
}

}  // namespace

TEST_CASE("activations in float agree with double precision up to their limits", "[kernels]") {
  for (const auto& name : activation_names()) {
    for (const bool gated : {false, true}) {
      const int64_t width = gated ? 2 * kWidth : kWidth;
      const auto z = at::linspace(-30, 30, 50 * width, at::kDouble).view({50, width});
      const auto da = normal({50, kWidth}, "da"), weight = normal({50}, "weight");
      const auto exact = both(z, da, weight, activation_from_name(name), gated);
      const auto got = both(z.to(at::kFloat), da.to(at::kFloat), weight.to(at::kFloat),
                            activation_from_name(name), gated);
      INFO(name << " gated " << gated);
      CHECK(worst(got.a, exact.a) <= 2e-6 * exact.a.abs().max().item<double>());
      CHECK(relative_error(got.grad.dz, exact.grad.dz) < 1e-6);
      CHECK(relative_error(got.grad.scaled, exact.grad.scaled) < 1e-6);
      CHECK(relative_error(got.grad.dweight, exact.grad.dweight) < 2e-6);
    }
  }
}

TEST_CASE("activations in float keep their limits and NaN", "[kernels]") {
  const float big = 1e4, nan = std::numeric_limits<float>::quiet_NaN();
  const auto z = at::tensor({-big, 0.f, big, nan}).view({1, 4});
  const auto ones = at::ones({1, 4}), weight = at::ones({1});
  for (const auto& name : activation_names()) {
    const Activation activation = activation_from_name(name);
    const auto got = both(z, ones, weight, activation, false);
    const float* a = got.a.const_data_ptr<float>();
    const float* dz = got.grad.dz.const_data_ptr<float>();
    INFO(name);
    const float least = activation == Activation::ELU         ? -1
                        : activation == Activation::LeakyReLU ? -100
                                                              : 0;
    CHECK(a[0] == least);
    CHECK(a[1] == 0);
    CHECK(a[2] == big);
    CHECK(std::isfinite(dz[0]));
    CHECK(dz[2] == 1);
    if (activation != Activation::ReLU && activation != Activation::LeakyReLU) {
      CHECK(std::isnan(a[3]));
      CHECK(std::isnan(dz[3]));
    }
  }
}
