#pragma once
// The check backend: how far the fast pass of a layer is from plain tensor operations in double on
// the same rounded operands and the same routing.

#include <optional>
#include <string>
#include <vector>

#include "core/moe/expert_loop.h"

namespace switchyard {

/// A relative error in the L2 norm and what it may be: 1e-13 to 1e-12 in double, 2e-6 to 1e-5 in
/// float, 1e-3 to 4e-3 in half, 6e-3 to 2e-2 in bfloat16.
struct CheckedError {
  std::string name;  ///< output; gradient: of x and the experts; gate: of the routing weights
  double error, bound;

  /// False for NaN.
  bool holds() const { return error <= bound; }
};

/// |a - b| / |b| over all elements; 0 where both are zero.
double relative_l2(const at::Tensor& a, const at::Tensor& b);
/// The error of an op whose scores are of `type`.
CheckedError routing_error(double error, at::ScalarType type);
/// expert_mlp() against expert_loop() in double. With `gradients` those of |y|^2 / 2 too. Leaves no
/// trace in the operands' graph.
std::vector<CheckedError> expert_errors(const ExpertOperands& operands, bool gradients);

}  // namespace switchyard
