#pragma once
// The shapes that the MoE layer is timed at, and what the arithmetic alone costs there.

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard {

/// T tokens of C channels, each with K of E experts of hidden width H; 0: linear experts C -> C.
struct MoeShape {
  std::string name;
  int64_t tokens, k, experts, channels, hidden;
  bool gated;

  int64_t entries() const { return tokens * k; }
  bool is_linear() const { return hidden == 0; }
  /// Outputs of the first layer.
  int64_t in_width() const { return is_linear() ? channels : gated ? 2 * hidden : hidden; }
  /// The same with at least one token and 1/divisor of the tokens.
  MoeShape scaled(int64_t divisor) const;
};

/// P0 P2 P4 D1 D2 Q1 Q16 A1 A0 F1 F2 F3 M1; L0: linear experts; K1: P0 with one expert a token.
const std::vector<MoeShape>& moe_shapes();
/// Errors: unknown name, with the valid ones.
const MoeShape& moe_shape(const std::string& name);

enum class Pass { Inference, TrainForward, ForwardBackward };

/// What has to be computed and moved.
struct Cost {
  double flops, bytes;
};
/// Elements of `element` bytes. Two kernels: x gathered once per entry, the hidden activation
/// written and read (in training also the pre-activation), weights once, rows written and, for
/// K > 1, read by the combine; the backward pass reads dy twice, recomputes nothing, and writes no
/// permuted copies. `fused`: both products in one kernel, nothing hidden in memory, the first
/// product recomputed in the backward pass. Linear experts are one kernel in any case.
Cost moe_cost(const MoeShape& shape, Pass pass, bool fused, int64_t element);

/// Measured ceilings of a machine: FLOP/s and bytes/s.
struct Peak {
  double flops, bytes;
};
/// One H100 80GB HBM3: 798 TFLOP/s in bfloat16, 3.02 TB/s.
constexpr Peak kH100 = {798e12, 3.02e12};
/// The least time, seconds.
double floor_seconds(const Cost& cost, const Peak& peak);

}  // namespace switchyard
