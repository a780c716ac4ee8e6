#include "domains/point_cloud/model/serialization.h"

#include <ATen/Parallel.h>

#include <bit>

#include "core/base/text.h"

namespace switchyard {
namespace {

constexpr int kMaxDepth = 16;

/// Bit i goes to bit 3i.
uint64_t spread(uint64_t v) {
  v &= 0x1fffff;
  v = (v | v << 32) & 0x1f00000000ffffull;
  v = (v | v << 16) & 0x1f0000ff0000ffull;
  v = (v | v << 8) & 0x100f00f00f00f00full;
  v = (v | v << 4) & 0x10c30c30c30c30c3ull;
  return (v | v << 2) & 0x1249249249249249ull;
}

uint64_t interleave(uint64_t x, uint64_t y, uint64_t z) {
  return spread(x) << 2 | spread(y) << 1 | spread(z);
}

uint64_t hilbert(uint64_t x, uint64_t y, uint64_t z, int depth) {
  uint64_t axes[3] = {x, y, z};
  for (int b = depth - 1; b >= 0; --b) {
    const uint64_t low = (1ull << b) - 1;
    for (uint64_t& axis : axes) {
      if (axis >> b & 1) {
        axes[0] ^= low;
      } else {
        const uint64_t t = (axes[0] ^ axis) & low;
        axes[0] ^= t;
        axis ^= t;
      }
    }
  }
  uint64_t gray = interleave(axes[0], axes[1], axes[2]);
  for (int shift = 1; shift < 3 * depth; shift *= 2) gray ^= gray >> shift;
  return gray;
}

int batch_depth(const at::Tensor& grid_N3, int wanted) {
  if (grid_N3.size(0) == 0) return std::max(wanted, 1);
  const int64_t low = grid_N3.min().item<int64_t>(), high = grid_N3.max().item<int64_t>();
  check(low >= 0, "serialize", "negative grid coordinate: got ", low, ", expected >= 0");
  const int automatic = std::bit_width(static_cast<uint64_t>(high) + 1);
  const int depth = wanted < 0 ? automatic : wanted;
  check(depth <= kMaxDepth, "serialize", "too large an extent: got grid coordinate ", high,
        ", depth ", depth, ", expected depth <= ", kMaxDepth, "; use a larger grid size");
  check(high < int64_t{1} << depth, "serialize", "depth too small: got depth ", depth,
        " for grid coordinate ", high);
  return depth;
}

void check_input(const at::Tensor& grid_N3, const std::vector<int64_t>& offset) {
  check(grid_N3.dim() == 2 && grid_N3.size(1) == 3 && grid_N3.scalar_type() == at::kLong &&
            grid_N3.is_cpu(),
        "serialize", "grid: got ", to_text(grid_N3.sizes().vec()),
        ", expected i64 [N, 3] on the CPU");
  check(!offset.empty() && offset.front() == 0 && offset.back() == grid_N3.size(0) &&
            std::is_sorted(offset.begin(), offset.end()),
        "serialize", "offset: got ", to_text(offset), ", expected to rise from 0 to ",
        grid_N3.size(0));
}

}  // namespace

const std::vector<std::string>& curve_names() {
  static const std::vector<std::string> names = {"z", "z-trans", "hilbert", "hilbert-trans"};
  return names;
}

Curve curve_from_name(const std::string& name) {
  const auto& names = curve_names();
  check_name("orders", "curve", name, names);
  return static_cast<Curve>(std::find(names.begin(), names.end(), name) - names.begin());
}

int64_t curve_code(Curve curve, int64_t x, int64_t y, int64_t z, int depth) {
  if (curve == Curve::ZTrans || curve == Curve::HilbertTrans) std::swap(x, y);
  const bool is_z = curve == Curve::Z || curve == Curve::ZTrans;
  const auto ux = static_cast<uint64_t>(x), uy = static_cast<uint64_t>(y),
             uz = static_cast<uint64_t>(z);
  return static_cast<int64_t>(is_z ? interleave(ux, uy, uz) : hilbert(ux, uy, uz, depth));
}

Serialization serialize(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        const std::vector<Curve>& curves, int wanted_depth) {
  check_input(grid_N3, offset);
  const auto grid_c = grid_N3.contiguous();
  const int64_t n = grid_c.size(0), rows = static_cast<int64_t>(curves.size());
  Serialization s{batch_depth(grid_c, wanted_depth), at::empty({rows, n}, at::kLong), {}, {}};
  check(3 * s.depth + std::bit_width(offset.size() - 1) <= 63, "serialize", "too many clouds: got ",
        offset.size() - 1, " at depth ", s.depth);
  const int64_t* grid = grid_c.const_data_ptr<int64_t>();
  int64_t* code = s.code_RN.data_ptr<int64_t>();
  for (size_t b = 0; b + 1 < offset.size(); ++b) {
    const int64_t top = static_cast<int64_t>(b) << 3 * s.depth;
    for (int64_t r = 0; r < rows; ++r) {
      at::parallel_for(offset[b], offset[b + 1], 2048, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t* p = grid + 3 * i;
          code[r * n + i] =
              top | curve_code(curves[static_cast<size_t>(r)], p[0], p[1], p[2], s.depth);
        }
      });
    }
  }
  sort_codes(s);
  return s;
}

void sort_codes(Serialization& s) {
  const int64_t rows = s.code_RN.size(0), n = s.code_RN.size(1);
  s.order_RN = at::empty({rows, n}, at::kLong);
  s.inverse_RN = at::empty({rows, n}, at::kLong);
  const int64_t* code = s.code_RN.const_data_ptr<int64_t>();
  int64_t* order = s.order_RN.data_ptr<int64_t>();
  int64_t* inverse = s.inverse_RN.data_ptr<int64_t>();
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    std::vector<std::pair<int64_t, int64_t>> keys(static_cast<size_t>(n));
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t i = 0; i < n; ++i) keys[static_cast<size_t>(i)] = {code[r * n + i], i};
      std::sort(keys.begin(), keys.end());
      for (int64_t j = 0; j < n; ++j) {
        const int64_t point = keys[static_cast<size_t>(j)].second;
        order[r * n + j] = point;
        inverse[r * n + point] = j;
      }
    }
  });
}

void permute_rows(Serialization& s, const std::vector<int64_t>& rows) {
  check(
      static_cast<int64_t>(rows.size()) == s.code_RN.size(0) &&
          [&] {
            auto sorted = rows;
            std::sort(sorted.begin(), sorted.end());
            for (size_t i = 0; i < sorted.size(); ++i) {
              if (sorted[i] != static_cast<int64_t>(i)) return false;
            }
            return true;
          }(),
      "permute_rows", "got ", to_text(rows), ", expected a permutation of 0 .. ",
      s.code_RN.size(0) - 1);
  const auto index = at::tensor(rows, at::kLong);
  s.code_RN = s.code_RN.index_select(0, index);
  s.order_RN = s.order_RN.index_select(0, index);
  s.inverse_RN = s.inverse_RN.index_select(0, index);
}

}  // namespace switchyard
