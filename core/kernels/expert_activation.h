#pragma once
// The activation between the two matrix products of an expert, fused with gate, weight and slopes.

#include <ATen/core/Tensor.h>

#include "core/nn/activation.h"

namespace switchyard {

/// z [A, H] -> act(z); gated: z [A, 2H] = gate | up -> act(gate) * up, [A, H].
at::Tensor expert_activation(const at::Tensor& z, Activation activation, bool gated);

struct ExpertActivationGrad {
  at::Tensor dz;       ///< like z: weight * da * slope
  at::Tensor scaled;   ///< [A, H]: weight * activation, what the second product's gradient needs
  at::Tensor dweight;  ///< [A] token-major: sum over h of da * activation
};
/// `da` [A, H]: gradient of the activation before the entry's weight is applied. `weight` [A] is
/// token-major; `entry` [A] maps the slot-major rows of z to it.
ExpertActivationGrad expert_activation_backward(const at::Tensor& z, const at::Tensor& da,
                                                const at::Tensor& weight_A,
                                                const at::Tensor& entry_A, Activation activation,
                                                bool gated);

}  // namespace switchyard
