#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

/// Submanifold sparse convolution (Graham & van der Maaten 2017) over a neighbour table.
/// x [N, Cin]; neighbor [N, V] i32 on x's device, row of the input at each of V offsets or -1, offset
/// v and V-1-v opposite to each other; weight [Cout, V * Cin]; bias [Cout] or undefined. -> [N, Cout].
/// Every output row is written once: deterministic. Float and double; differentiable in x, weight, bias.
at::Tensor subm_conv(const at::Tensor& x_NC, const at::Tensor& neighbor_NV, const at::Tensor& weight, const at::Tensor& bias);

/// out [rows, V * C]: for row r and offset v, x[neighbor[begin + r, v]] or zeros; `reversed` reads
/// offset V-1-v instead. CPU kernel, contiguous float or double.
void gather_panel_cpu(const at::Tensor& x_NC, const at::Tensor& neighbor_NV, int64_t begin, bool reversed, at::Tensor& out);

}  // namespace switchyard
