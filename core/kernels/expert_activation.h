#pragma once
// The activation between the two matrix products of an expert, fused with bias, gate, weight and
// slopes.

#include <ATen/core/Tensor.h>

#include "core/nn/activation.h"

namespace switchyard {

/// z [A, N1], slot-major, is the first product without its bias; N1 = 2H (gate | up) where gated.
struct ExpertHidden {
  at::Tensor z;
  at::Tensor bias_EN;  ///< [E, N1] or undefined
  at::Tensor entry;    ///< [A] slot-major row -> token-major entry
  at::Tensor slot_of;  ///< [A] token-major
  Activation activation;
  bool gated;
};

/// act(z + bias) or, gated, act(gate) * up, [A, H].
at::Tensor expert_activation(const ExpertHidden& hidden);

struct ExpertActivationGrad {
  at::Tensor dz;       ///< like z: weight * da * slope
  at::Tensor scaled;   ///< [A, H]: weight * activation, what the second product's gradient needs
  at::Tensor dweight;  ///< [A] token-major: sum over h of da * activation
};
/// `da` [A, H]: gradient of the activation before the entry's weight is applied. `weight` [A] is
/// token-major, float where z is of a half type.
ExpertActivationGrad expert_activation_backward(const ExpertHidden& hidden, const at::Tensor& da,
                                                const at::Tensor& weight_A);

}  // namespace switchyard
