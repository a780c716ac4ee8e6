#pragma once
// Small MoE set-ups shared by tests.

#include <ATen/core/Tensor.h>

#include <string>

#include "core/base/random.h"
#include "core/moe/assignment.h"
#include "core/moe/layer.h"

namespace switchyard::test {

/// A context with one level of `tokens` tokens in one sequence.
ForwardContext one_sequence(int64_t tokens, bool training = false, at::Device device = at::kCPU);
/// Standard normal [shape], double, keyed by `name`.
at::Tensor normal(at::IntArrayRef shape, const std::string& name);
/// Tokens with 0 to 3 different slots, the last one always empty; or all to slot 0. Undefined
/// weights are 1.
Assignment mixed_slots(int64_t tokens, int64_t slots, bool one, const at::Tensor& weight_A,
                       at::Device device);
MoEConfig moe_config(int64_t experts, int64_t k, double hidden_mult = 1, bool gated = true,
                     const std::string& activation = "relu", bool bias = false, int64_t shared = 0);
/// Linear experts.
MoEConfig linear_config(int64_t experts, int64_t k, bool bias, int64_t shared = 0);
/// Built in `dtype` on the CPU, initialised from seed 1.
std::unique_ptr<SubLayer> moe_layer(const MoEConfig& config, int64_t in, int64_t out,
                                    at::ScalarType dtype = at::kDouble);
/// The view of that name; fails the test if there is none.
ParamView view_of(const Module& module, const std::string& name);
/// Largest absolute difference over largest absolute value of `b` (floor 1e-3).
double relative_error(const at::Tensor& a, const at::Tensor& b);

}  // namespace switchyard::test
