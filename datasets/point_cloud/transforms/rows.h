#pragma once
// Passes over the rows of [N, 3] tensors: computed in double, stored in the tensor's own type.

#include <ATen/core/Tensor.h>

#include <array>

#include "datasets/dataset.h"

namespace switchyard {

using Row3 = std::array<double, 3>;

/// Calls edit(Row3& row, int64_t i) on every row of a contiguous [N, 3] f32 or f64 tensor and
/// stores the row, in place.
template <class Edit>
void edit_rows(const at::Tensor& rows_N3, Edit&& edit) {
  const auto pass = [&](auto* p) {
    for (int64_t i = 0; i < rows_N3.size(0); ++i, p += 3) {
      Row3 row{p[0], p[1], p[2]};
      edit(row, i);
      for (size_t a = 0; a < 3; ++a) p[a] = static_cast<std::decay_t<decltype(*p)>>(row[a]);
    }
  };
  if (rows_N3.scalar_type() == at::kDouble)
    pass(rows_N3.data_ptr<double>());
  else
    pass(rows_N3.data_ptr<float>());
}

/// Calls visit(const Row3& row, int64_t i) on every row.
template <class Visit>
void visit_rows(const at::Tensor& rows_N3, Visit&& visit) {
  const auto pass = [&](const auto* p) {
    for (int64_t i = 0; i < rows_N3.size(0); ++i, p += 3) visit(Row3{p[0], p[1], p[2]}, i);
  };
  if (rows_N3.scalar_type() == at::kDouble)
    pass(rows_N3.const_data_ptr<double>());
  else
    pass(rows_N3.const_data_ptr<float>());
}

/// Axis-aligned box around rows; of no row: zeros.
struct Box {
  Row3 low{}, high{};
  Row3 middle() const {
    return {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2};
  }
};
Box bounding_box(const at::Tensor& rows_N3);

Row3 row_of(const at::Tensor& rows_N3, int64_t index);

/// The tensor `key` of a sample. Errors: missing, not a contiguous [N, 3] of floating type.
at::Tensor rows_of(const Sample& sample, const std::string& key);

/// The tensors that hold positions: coord and, where there is one, origin (of the sensor).
std::vector<at::Tensor> places_of(const Sample& sample);

/// [rows, columns] f64 standard normal draws.
at::Tensor normal_draws(RandomStream& stream, int64_t rows, int64_t columns);

/// A config list as three numbers. Error: another length.
Row3 three_numbers(const std::vector<double>& values, const std::string& what);

}  // namespace switchyard
