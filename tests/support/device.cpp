#include "tests/test.h"

#include "tests/support/device.h"

#include "tests/support/moe.h"

namespace switchyard::test {
namespace {

std::vector<at::Tensor> converted(const std::vector<at::Tensor>& inputs, at::Device device,
                                  at::ScalarType type) {
  std::vector<at::Tensor> out;
  for (const at::Tensor& t : inputs) out.push_back(t.to(device, type));
  return out;
}

bool equal_bits(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& x, const at::Tensor& y) { return at::equal(x, y); });
}

}  // namespace

bool skipped_without_gpu() {
  const bool skipped = devices().size() < 2;
  if (skipped) WARN("skipped: this build or machine has no GPU");
  return skipped;
}

std::vector<at::Tensor> value_and_gradients(const std::vector<at::Tensor>& inputs,
                                            const DeviceOp& op) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& t : inputs) leaves.push_back(t.detach().clone().requires_grad_(true));
  const auto y = op(leaves);
  (y * normal(y.sizes(), "cotangent").to(y.options())).sum().backward();
  std::vector<at::Tensor> out = {y.detach()};
  for (const at::Tensor& leaf : leaves)
    out.push_back(leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf));
  return out;
}

void check_on_devices(const std::vector<at::Tensor>& inputs, const DeviceOp& op,
                      const DeviceLimits& limits) {
  const Deterministic as_in_a_run;
  for (const auto& [type, limit] : std::vector<std::pair<at::ScalarType, double>>{
           {at::kDouble, limits.f64}, {at::kFloat, limits.f32}, {at::kBFloat16, limits.bf16}}) {
    const auto rounded = converted(inputs, at::kCPU, type);
    const auto expected = value_and_gradients(converted(rounded, at::kCPU, at::kDouble), op);
    for (const at::Device device : devices()) {
      const auto here = converted(rounded, device, type);
      const auto got = value_and_gradients(here, op);
      for (size_t i = 0; i < got.size(); ++i) {
        INFO(device.str() << " " << c10::toString(type)
                          << (i == 0 ? " value" : " gradient of input " + to_text(i - 1)));
        CHECK(relative_error(got[i], expected[i]) <= limit);
      }
      bool same = true;
      for (int repeat = 0; repeat < 20 && same; ++repeat)
        same = equal_bits(got, value_and_gradients(here, op));
      INFO(device.str() << " " << c10::toString(type) << ": 20 repeats");
      CHECK(same);
    }
  }
}

}  // namespace switchyard::test
