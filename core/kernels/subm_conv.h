#pragma once
// Submanifold sparse convolution (Graham et al. 2018): outputs live exactly where inputs live.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// y[p] = sum over k with neighbor[p, k] >= 0 of W[:, k, :] x[neighbor[p, k]].
/// x [N, C]; weight [O, kx, ky, kz, C]; neighbor [N, kx*ky*kz] i32, -1 where absent -> y [N, O].
/// The map must be symmetric (neighbor[p, k] == q if and only if neighbor[q, K-1-k] == p), as it is
/// for equal input and output sites and odd kernels: the backward pass reads the same map
/// backwards. Rows are gathered in blocks into a panel that one GEMM consumes; sums run in a fixed
/// order. Any floating dtype, CPU and CUDA. Errors: shapes or types that do not fit.
at::Tensor subm_conv(const at::Tensor& x_NC, const at::Tensor& weight_OxyzC,
                     const at::Tensor& neighbor_NK);

/// The same as one product per offset in plain tensor operations: what the fast one is compared
/// with.
at::Tensor subm_conv_reference(const at::Tensor& x_NC, const at::Tensor& weight_OxyzC,
                               const at::Tensor& neighbor_NK);

}  // namespace switchyard
