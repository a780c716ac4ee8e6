#include "domains/point_cloud/model/serialization.h"

#include <ATen/ops/index_select.h>

#include <array>
#include <bit>

namespace switchyard {
namespace {

int64_t interleave(int64_t x, int64_t y, int64_t z, int64_t depth) {
  int64_t code = 0;
  for (int64_t bit = 0; bit < depth; ++bit) {
    code |= ((x >> bit & 1) << 2 | (y >> bit & 1) << 1 | (z >> bit & 1)) << (3 * bit);
  }
  return code;
}

/// Skilling, "Programming the Hilbert curve" (2004): transpose in place, then Gray code to binary.
int64_t hilbert(int64_t x, int64_t y, int64_t z, int64_t depth) {
  std::array<int64_t, 3> axes = {x, y, z};
  for (int64_t bit = depth - 1; bit >= 0; --bit) {
    const int64_t low = (int64_t{1} << bit) - 1;
    for (auto& axis : axes) {
      if (axis >> bit & 1) {
        axes[0] ^= low;
      } else {
        const int64_t swapped = (axes[0] ^ axis) & low;
        axes[0] ^= swapped;
        axis ^= swapped;
      }
    }
  }
  int64_t code = interleave(axes[0], axes[1], axes[2], depth);
  for (int64_t shift = 1; shift < 3 * depth; shift *= 2) code ^= code >> shift;
  return code;
}

}  // namespace

std::vector<Curve> curves_from_names(const std::vector<std::string>& names) {
  static const std::vector<std::string> known = {"z", "z-trans", "hilbert", "hilbert-trans"};
  std::vector<Curve> out;
  for (const auto& name : names) {
    check_name("order", "curve", name, known);
    out.push_back(static_cast<Curve>(std::find(known.begin(), known.end(), name) - known.begin()));
  }
  return out;
}

int64_t curve_code(Curve curve, int64_t x, int64_t y, int64_t z, int64_t depth) {
  switch (curve) {
    case Curve::Z: return interleave(x, y, z, depth);
    case Curve::ZTrans: return interleave(y, x, z, depth);
    case Curve::Hilbert: return hilbert(x, y, z, depth);
    case Curve::HilbertTrans: return hilbert(y, x, z, depth);
  }
  return 0;
}

int64_t serialization_depth(const at::Tensor& grid_coord_N3) {
  if (grid_coord_N3.numel() == 0) return 1;
  return std::bit_width(static_cast<uint64_t>(grid_coord_N3.max().item<int64_t>() + 1));
}

Serialization serialize(const at::Tensor& grid_coord_N3, const at::Tensor& batch_N, int64_t depth,
                        const std::vector<Curve>& curves, const std::vector<int64_t>& permutation) {
  const at::Tensor grid = grid_coord_N3.contiguous(), batch = batch_N.contiguous();
  const int64_t count = grid.size(0);
  const int64_t clouds = count ? batch.max().item<int64_t>() + 1 : 0;
  check(depth >= 1 && depth <= 16, "serialize", "bad depth: got ", depth, ", expected 1 to 16 (coordinates below 65536)");
  check(3 * depth + std::bit_width(static_cast<uint64_t>(clouds)) <= 63, "serialize", "too many clouds: got ", clouds,
        " at depth ", depth);
  check(count == 0 || grid.min().item<int64_t>() >= 0, "serialize", "negative grid coordinate");
  at::Tensor code = at::empty({static_cast<int64_t>(curves.size()), count}, at::kLong);
  const int64_t *g = grid.data_ptr<int64_t>(), *b = batch.data_ptr<int64_t>();
  int64_t* out = code.data_ptr<int64_t>();
  for (const Curve curve : curves) {
    for (int64_t i = 0; i < count; ++i) {
      *out++ = b[i] << (3 * depth) | curve_code(curve, g[3 * i], g[3 * i + 1], g[3 * i + 2], depth);
    }
  }
  return serialize_codes(code, depth, permutation);
}

Serialization serialize_codes(const at::Tensor& code_RN, int64_t depth, const std::vector<int64_t>& permutation) {
  const int64_t rows = code_RN.size(0), count = code_RN.size(1);
  Serialization out{depth, code_RN.contiguous(), at::empty_like(code_RN), at::empty_like(code_RN)};
  std::vector<std::pair<int64_t, int64_t>> keyed(static_cast<size_t>(count));
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t* code = out.code.data_ptr<int64_t>() + r * count;
    int64_t *order = out.order.data_ptr<int64_t>() + r * count, *inverse = out.inverse.data_ptr<int64_t>() + r * count;
    for (int64_t i = 0; i < count; ++i) keyed[size_t(i)] = {code[i], i};
    std::sort(keyed.begin(), keyed.end());
    for (int64_t j = 0; j < count; ++j) {
      order[j] = keyed[size_t(j)].second;
      inverse[order[j]] = j;
    }
  }
  if (permutation.empty()) return out;
  const at::Tensor rows_index = at::tensor(permutation, at::kLong);
  for (at::Tensor* t : {&out.code, &out.order, &out.inverse}) *t = t->index_select(0, rows_index);
  return out;
}

}  // namespace switchyard
