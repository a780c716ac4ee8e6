#pragma once
// Space-filling curves over voxel coordinates (Point Transformer V3, section 4.1; Hilbert after
// Skilling 2004). Index work: CPU, int64.

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace switchyard {

/// The "-trans" curves swap x and y first.
enum class Curve { Z, ZTrans, Hilbert, HilbertTrans };
const std::vector<std::string>& curve_names();
/// Errors: unknown name, with the valid ones.
Curve curve_from_name(const std::string& name);

/// Position of a voxel, 0 <= x, y, z < 2^depth, along the curve: 0 .. 2^(3 depth) - 1.
int64_t curve_code(Curve curve, int64_t x, int64_t y, int64_t z, int depth);

/// N voxels of a batch along R curves.
struct Serialization {
  int depth = 0;
  at::Tensor code_RN;     ///< (cloud << 3 depth) | curve position
  at::Tensor order_RN;    ///< voxel at each position
  at::Tensor inverse_RN;  ///< position of each voxel
};

/// `grid` [N, 3] i64 >= 0, unique per cloud; `offset` [B+1], starts with 0. depth < 0: bit length
/// of (largest coordinate + 1). Errors: wrong shapes, negative coordinates, depth above 16 or too
/// small.
Serialization serialize(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        const std::vector<Curve>& curves, int depth = -1);
/// Fills order and inverse from code.
void sort_codes(Serialization& s);
/// new[j] = old[rows[j]] for code, order and inverse. Errors: not a permutation of the rows.
void permute_rows(Serialization& s, const std::vector<int64_t>& rows);

}  // namespace switchyard
