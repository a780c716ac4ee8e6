#include "core/moe/layer_check.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace switchyard {
namespace {

struct Bounds {
  double output, gradient, gate;
};
Bounds bounds_of(at::ScalarType type) {
  if (type == at::kDouble) return {1e-13, 1e-12, 1e-12};
  if (type == at::kFloat) return {2e-6, 5e-6, 1e-5};
  if (type == at::kHalf) return {1e-3, 2e-3, 4e-3};
  return {6e-3, 1e-2, 2e-2};
}

/// Copies that take gradients of their own, in `type` or, without one, in their own types.
ExpertOperands leaves_of(const ExpertOperands& operands, std::optional<at::ScalarType> type) {
  ExpertOperands out = operands;
  for (at::Tensor* t : {&out.x_TC, &out.assignment.weight, &out.experts.in_ENC,
                        &out.experts.in_bias, &out.experts.out_EDH, &out.experts.out_bias}) {
    if (!t->defined()) continue;
    *t = t->detach().to(type.value_or(t->scalar_type()), false, /*copy=*/true);
    t->requires_grad_(true);
  }
  return out;
}

/// Routing weight first.
std::vector<at::Tensor> gradients_of(const ExpertOperands& leaves, const at::Tensor& y,
                                     const at::Tensor& dy) {
  std::vector<at::Tensor> inputs = {leaves.assignment.weight, leaves.x_TC};
  for (const at::Tensor& t : {leaves.experts.in_ENC, leaves.experts.in_bias, leaves.experts.out_EDH,
                              leaves.experts.out_bias})
    if (t.defined()) inputs.push_back(t);
  auto out = torch::autograd::grad({y}, inputs, {dy});
  out[0] = out[0].narrow(0, 0, leaves.assignment.used());
  return out;
}

/// NaN wins.
double worse(double a, double b) { return b <= a ? a : b; }

}  // namespace

double relative_l2(const at::Tensor& a, const at::Tensor& b) {
  const auto reference = b.detach().to(at::kDouble);
  const double norm = reference.norm().item<double>(),
               gap = (a.detach().to(at::kDouble) - reference).norm().item<double>();
  return gap == 0 ? 0 : gap / norm;
}

CheckedError routing_error(double error, at::ScalarType type) {
  return {"routing", error, bounds_of(type).gate};
}

std::vector<CheckedError> expert_errors(const ExpertOperands& operands, bool gradients) {
  const at::AutoGradMode grad(gradients);
  const Bounds bounds = bounds_of(operands.x_TC.scalar_type());
  const auto fast = leaves_of(operands, {}), plain = leaves_of(operands, at::kDouble);
  const auto y = expert_mlp(fast.x_TC, fast.experts, fast.assignment, fast.activation, fast.gated),
             expected = expert_loop(plain);
  std::vector<CheckedError> out = {{"output", relative_l2(y, expected), bounds.output}};
  if (!gradients) return out;
  const auto dy = y.detach();
  const auto d = gradients_of(fast, y, dy),
             d_plain = gradients_of(plain, expected, dy.to(at::kDouble));
  double worst = 0;
  for (size_t i = 1; i < d.size(); ++i) worst = worse(worst, relative_l2(d[i], d_plain[i]));
  out.push_back({"gradient", worst, bounds.gradient});
  out.push_back({"gate", relative_l2(d[0], d_plain[0]), bounds.gate});
  return out;
}

}  // namespace switchyard
