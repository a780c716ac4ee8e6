#include "core/kernels/modulate.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/layer_norm.h>

#include "tests/support/device.h"
#include "tests/support/moe.h"
#include "tests/support/text.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

constexpr double kEps = 1e-6;

/// Images of 19 tokens: a whole chunk of rows and a part of one.
std::vector<at::Tensor> inputs(int64_t width) {
  return {2 * normal({3, 19, width}, "x") + .5, normal({3, 19, width}, "branch"),
          normal({3, width}, "gate"), normal({3, width}, "shift"), normal({3, width}, "scale")};
}

at::Tensor both(const Modulated& m) { return at::cat({m.x_BNC, m.out_BNC}, 2); }

/// x, branch, gate, shift, scale; the operation in single steps.
at::Tensor plain(const std::vector<at::Tensor>& t) {
  const auto x = t[0] + t[2].unsqueeze(1) * t[1];
  const auto y = at::layer_norm(x, {x.size(2)}, {}, {}, kEps);
  return at::cat({x, y * (1 + t[4].unsqueeze(1)) + t[3].unsqueeze(1)}, 2);
}

at::Tensor fused(const std::vector<at::Tensor>& t) {
  return both(modulate({t[0], t[1], t[2]}, t[3], t[4], kEps, t[0].scalar_type()));
}

}  // namespace

TEST_CASE("modulation equals its single steps", "[kernels][cuda]") {
  for (const int64_t width : {4, 48, 132, 1152, 2048}) {
    const auto t = inputs(width);
    const auto expected = value_and_gradients(t, plain);
    for (const at::Device device : devices()) {
      std::vector<at::Tensor> here;
      for (const auto& x : t) here.push_back(x.to(device));
      const auto got = value_and_gradients(here, fused);
      for (size_t i = 0; i < got.size(); ++i) {
        INFO(device.str() << ", width " << width << ", tensor " << i);
        CHECK(relative_error(got[i], expected[i]) < 1e-12);
      }
    }
  }
}

TEST_CASE("modulation agrees on every device, repeats are bit-equal", "[kernels][cuda][repeat]") {
  check_on_devices(inputs(132), fused);
  const auto t = inputs(768);
  check_on_devices({t[0], t[3], t[4]}, [](const std::vector<at::Tensor>& t) {
    return modulate({t[0]}, t[1], t[2], kEps, t[0].scalar_type()).out_BNC;
  });
}

TEST_CASE("modulation of a float stream gives half types", "[kernels][cuda]") {
  const auto t = inputs(768);
  const auto expected = value_and_gradients(t, plain);
  for (const at::Device device : devices()) {
    for (const auto type : {at::kBFloat16, at::kHalf}) {
      std::vector<at::Tensor> here;
      for (const auto& x : t) here.push_back(x.to(device, at::kFloat));
      const auto got = value_and_gradients(here, [type](const std::vector<at::Tensor>& t) {
        const auto m = modulate({t[0], t[1], t[2]}, t[3].to(type), t[4], kEps, type);
        CHECK(m.x_BNC.scalar_type() == at::kFloat);
        CHECK(m.out_BNC.scalar_type() == type);
        return both(m);
      });
      for (size_t i = 0; i < got.size(); ++i) {
        INFO(device.str() << " " << c10::toString(type) << ", tensor " << i);
        CHECK(relative_error(got[i], expected[i]) < .01);
      }
    }
  }
}

TEST_CASE("an unused sum and an empty batch have gradients", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    for (const int64_t batch : {2, 0}) {
      const auto x = normal({batch, 5, 8}, "x").to(device).requires_grad_(true);
      const auto row = normal({batch, 8}, "row").to(device);
      modulate({x, x, row}, row, row, kEps, at::kDouble).out_BNC.sum().backward();
      CHECK(x.grad().sizes() == x.sizes());
    }
  }
}

TEST_CASE("modulation names what does not fit", "[kernels]") {
  const auto x = normal({2, 3, 8}, "x"), row = normal({2, 8}, "row");
  const auto error = [&](const ResidualStream& h, const at::Tensor& shift, at::ScalarType type) {
    return error_of([&] { modulate(h, shift, row, kEps, type); });
  };
  CHECK(holds(error({x[0]}, row, at::kDouble), "expected [B, N, C]"));
  CHECK(holds(error({x.narrow(2, 0, 6)}, row, at::kDouble), "a multiple of 4 up to 2048"));
  CHECK(holds(error({x, x}, row, at::kDouble), "a gate alone"));
  CHECK(holds(error({x, x[0], row}, row, at::kDouble), "differ in shape"));
  CHECK(holds(error({x}, row[0], at::kDouble), "expected [2, 8]"));
  CHECK(holds(error({x}, row, at::kHalf), "got Half for x of type Double"));
}
