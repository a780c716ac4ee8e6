#pragma once
// Space-filling-curve orders of voxels (Point Transformer V3; spec: z-order and Skilling's Hilbert).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard {

/// The "trans" forms swap x and y of the grid coordinate first.
enum class Curve { Z, ZTrans, Hilbert, HilbertTrans };

/// "z", "z-trans", "hilbert", "hilbert-trans". Errors: unknown name.
std::vector<Curve> curves_from_names(const std::vector<std::string>& names);

/// Position of (x, y, z), each in 0 .. 2^depth - 1, along the curve: 3 * depth bits.
int64_t curve_code(Curve curve, int64_t x, int64_t y, int64_t z, int64_t depth);

/// R orders of N voxels, all i64 on the CPU. Clouds stay contiguous in every order.
struct Serialization {
  int64_t depth = 0;
  at::Tensor code;     ///< [R, N] (batch << 3 depth) | curve code, unique in a row
  at::Tensor order;    ///< [R, N] argsort of code
  at::Tensor inverse;  ///< [R, N] inverse permutation of order
};

/// Bit length of (largest coordinate of the whole batch + 1).
int64_t serialization_depth(const at::Tensor& grid_coord_N3);
/// `batch` [N] i64 cloud of each voxel. `permutation`: rows new[j] = old[permutation[j]]; empty: as given.
/// Errors: negative coordinates, depth over 16, too many clouds for 63 bits.
Serialization serialize(const at::Tensor& grid_coord_N3, const at::Tensor& batch_N, int64_t depth,
                        const std::vector<Curve>& curves, const std::vector<int64_t>& permutation = {});
/// Sorts every row of `code` [R, N] and permutes the rows.
Serialization serialize_codes(const at::Tensor& code_RN, int64_t depth, const std::vector<int64_t>& permutation = {});

}  // namespace switchyard
