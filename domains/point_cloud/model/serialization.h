#pragma once
// Space-filling curves over voxel coordinates (Point Transformer V3, section 4.1; Hilbert after
// Skilling 2004). Index work in int64, on the device of the network.

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace switchyard {

/// The "-trans" curves swap x and y first.
enum class Curve { Z, ZTrans, Hilbert, HilbertTrans };
const std::vector<std::string>& curve_names();
/// Errors: unknown name, with the valid ones.
Curve curve_from_name(const std::string& name);

/// N voxels of a batch along R curves; the tensors lie on one device.
struct Serialization {
  int depth = 0;
  at::Tensor code_RN;     ///< (cloud << 3 depth) | curve position
  at::Tensor order_RN;    ///< voxel at each position
  at::Tensor inverse_RN;  ///< position of each voxel
};

/// Bit length of (largest coordinate + 1) of `grid` [N, 3] i64 on the CPU; 1 without voxels.
/// Errors: shape, a negative coordinate, more than 16 bits.
int curve_depth(const at::Tensor& grid_N3);

/// Curves over `grid` [N, 3] i64, unique per cloud, each coordinate below 2^depth (on a GPU not
/// checked), on its device; `offset` [B+1], starts with 0. Errors: wrong shapes; coordinates or
/// clouds that do not fit.
Serialization serialize(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        const std::vector<Curve>& curves, int depth);
/// Fills order and inverse from code.
void sort_codes(Serialization& s);
/// new[j] = old[rows[j]] for code, order and inverse. Errors: not a permutation of the rows.
void permute_rows(Serialization& s, const std::vector<int64_t>& rows);

}  // namespace switchyard
