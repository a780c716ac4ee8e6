#include "domains/point_cloud/model/serialization.h"

#include <ATen/Parallel.h>
#include <ATen/ops/sort.h>

#include <bit>

#include "core/base/text.h"
#include "core/kernels/curve_math.h"
#include "core/kernels/device_call.h"

namespace switchyard {
namespace {

constexpr int kMaxDepth = 16;

void check_grid(const at::Tensor& grid_N3) {
  check(grid_N3.dim() == 2 && grid_N3.size(1) == 3 && grid_N3.scalar_type() == at::kLong,
        "serialize", "grid: got ", c10::toString(grid_N3.scalar_type()), " ",
        to_text(grid_N3.sizes().vec()), ", expected i64 [N, 3]");
}

void check_input(const at::Tensor& grid_N3, const std::vector<int64_t>& offset, int depth) {
  check_grid(grid_N3);
  check(!offset.empty() && offset.front() == 0 && offset.back() == grid_N3.size(0) &&
            std::is_sorted(offset.begin(), offset.end()),
        "serialize", "offset: got ", to_text(offset), ", expected to rise from 0 to ",
        grid_N3.size(0));
  check(depth >= 1 && depth <= kMaxDepth, "serialize", "depth: got ", depth, ", expected 1 to ",
        kMaxDepth);
  if (grid_N3.is_cpu())
    check(((grid_N3 >= 0) & (grid_N3 < int64_t{1} << depth)).all().item<bool>(), "serialize",
          "grid coordinate out of range: expected 0 .. 2^", depth, " - 1, the depth's");
  check(3 * depth + std::bit_width(offset.size() - 1) <= 63, "serialize", "too many clouds: got ",
        offset.size() - 1, " at depth ", depth);
}

void curve_code_cpu(const kernels::CurveCode& p) {
  for (int64_t cloud = 0; cloud < p.clouds; ++cloud)
    at::parallel_for(p.offset[cloud], p.offset[cloud + 1], 2048, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) p.code[i] = kernels::code_of(p, cloud, i);
    });
}

void sort_row(const int64_t* code, int64_t n, int64_t* order, int64_t* inverse) {
  std::vector<std::pair<int64_t, int64_t>> keys(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) keys[static_cast<size_t>(i)] = {code[i], i};
  std::sort(keys.begin(), keys.end());
  for (int64_t j = 0; j < n; ++j) {
    order[j] = keys[static_cast<size_t>(j)].second;
    inverse[order[j]] = j;
  }
}

void sort_on_cpu(Serialization& s) {
  const int64_t rows = s.code_RN.size(0), n = s.code_RN.size(1);
  s.order_RN = at::empty_like(s.code_RN);
  s.inverse_RN = at::empty_like(s.code_RN);
  const int64_t* code = s.code_RN.const_data_ptr<int64_t>();
  int64_t* order = s.order_RN.data_ptr<int64_t>();
  int64_t* inverse = s.inverse_RN.data_ptr<int64_t>();
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) sort_row(code + r * n, n, order + r * n, inverse + r * n);
  });
}

void sort_on_device(Serialization& s) {
  s.order_RN = std::get<1>(at::sort(s.code_RN, std::optional<bool>(true), 1));
  const auto position_N = at::arange(s.code_RN.size(1), s.code_RN.options());
  s.inverse_RN =
      at::empty_like(s.code_RN).scatter_(1, s.order_RN, position_N.expand_as(s.order_RN));
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

int curve_depth(const at::Tensor& grid_N3) {
  check_grid(grid_N3);
  if (grid_N3.size(0) == 0) return 1;
  const int64_t low = grid_N3.min().item<int64_t>(), high = grid_N3.max().item<int64_t>();
  check(low >= 0, "serialize", "negative grid coordinate: got ", low, ", expected >= 0");
  const int depth = std::bit_width(static_cast<uint64_t>(high) + 1);
  check(depth <= kMaxDepth, "serialize", "too large an extent: got grid coordinate ", high,
        ", depth ", depth, ", expected depth <= ", kMaxDepth, "; use a larger grid size");
  return depth;
}

Serialization serialize(const at::Tensor& grid_N3, const std::vector<int64_t>& offset,
                        const std::vector<Curve>& curves, int depth) {
  check_input(grid_N3, offset, depth);
  const auto grid = grid_N3.contiguous();
  const auto offset_B1 = at::tensor(offset, at::kLong).to(grid.device());
  const int64_t n = grid.size(0);
  Serialization s{depth, at::empty({std::ssize(curves), n}, grid.options()), {}, {}};
  for (size_t r = 0; r < curves.size(); ++r) {
    const Curve curve = curves[r];
    const kernels::CurveCode code{grid.const_data_ptr<int64_t>(),
                                  offset_B1.const_data_ptr<int64_t>(),
                                  n,
                                  std::ssize(offset) - 1,
                                  curve == Curve::Hilbert || curve == Curve::HilbertTrans,
                                  curve == Curve::ZTrans || curve == Curve::HilbertTrans,
                                  depth,
                                  s.code_RN.data_ptr<int64_t>() + static_cast<int64_t>(r) * n};
    kernels::launch(code, grid.device(), curve_code_cpu, kernels::curve_code_cuda);
  }
  sort_codes(s);
  return s;
}

void sort_codes(Serialization& s) {
  if (s.code_RN.is_cpu())
    sort_on_cpu(s);
  else
    sort_on_device(s);
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
  const auto index = at::tensor(rows, at::kLong).to(s.code_RN.device());
  s.code_RN = s.code_RN.index_select(0, index);
  s.order_RN = s.order_RN.index_select(0, index);
  s.inverse_RN = s.inverse_RN.index_select(0, index);
}

}  // namespace switchyard
