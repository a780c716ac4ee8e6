#pragma once
// Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020) of a
// set of samples against a reference: which samples lie in balls around the k nearest neighbours.

#include <ATen/core/Tensor.h>

namespace switchyard {

/// Whether a point on the surface is in the ball: Closed (distance <= radius: guided-diffusion,
/// torch-fidelity) or Open (distance < radius: the package prdc).
enum class Ball { Closed, Open };

struct Prdc {
  at::Tensor balls_per_fake;         ///< [M] i64: real balls that hold the sample
  at::Tensor real_in_fake;           ///< [N] bool: in some ball of the samples
  at::Tensor covered_real;           ///< [N] bool: its own ball holds some sample
  double precision = 0;              ///< share of samples in some real ball
  double recall = 0;                 ///< share of real_in_fake
  double density = 0, coverage = 0;  ///< mean balls_per_fake / k; share of covered_real
};

/// Squared distance of every row of x [N, D] to its k-th nearest other row: the (k+1)-th smallest,
/// itself included. [N] f64. Errors: see feature_rows; k outside 1 .. N-1.
at::Tensor neighbour_radius2(const at::Tensor& x_ND, int64_t k);

/// real [N, D], fake [M, D]. Distances are differences summed in double, a block of rows at a time,
/// so equal pairs have equal distances wherever they occur and 50 000 x 10 000 needs 128 MB.
/// Errors: as above; two widths.
Prdc prdc(const at::Tensor& real_ND, const at::Tensor& fake_MD, int64_t k, Ball ball);

}  // namespace switchyard
