#include "datasets/point_cloud/transforms/rows.h"

#include "core/base/error.h"

namespace switchyard {

Box bounding_box(const at::Tensor& rows_N3) {
  if (rows_N3.size(0) == 0) return {};
  Box box{row_of(rows_N3, 0), row_of(rows_N3, 0)};
  visit_rows(rows_N3, [&](const Row3& row, int64_t) {
    for (size_t a = 0; a < 3; ++a) {
      box.low[a] = std::min(box.low[a], row[a]);
      box.high[a] = std::max(box.high[a], row[a]);
    }
  });
  return box;
}

Row3 row_of(const at::Tensor& rows_N3, int64_t index) {
  Row3 out{};
  visit_rows(rows_N3.narrow(0, index, 1), [&](const Row3& row, int64_t) { out = row; });
  return out;
}

at::Tensor rows_of(const Sample& sample, const std::string& key) {
  const auto found = sample.tensors.find(key);
  check(found != sample.tensors.end(), sample.info.uri, "sample has no ", key);
  const at::Tensor& rows = found->second;
  const bool fits = rows.dim() == 2 && rows.size(1) == 3 && rows.is_contiguous() &&
                    (rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble);
  check(fits, sample.info.uri, key, " does not fit: got ", c10::toString(rows.scalar_type()), " ",
        to_text(rows.sizes().vec()), ", expected contiguous Float or Double [N, 3]");
  return rows;
}

std::vector<at::Tensor> places_of(const Sample& sample) {
  std::vector<at::Tensor> out = {rows_of(sample, "coord")};
  if (sample.tensors.count("origin")) out.push_back(rows_of(sample, "origin"));
  return out;
}

at::Tensor normal_draws(RandomStream& stream, int64_t rows, int64_t columns) {
  at::Tensor out = at::empty({rows, columns}, at::kDouble);
  double* p = out.data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) p[i] = stream.normal();
  return out;
}

Row3 three_numbers(const std::vector<double>& values, const std::string& what) {
  check(values.size() == 3, what, "wrong length: got ", values.size(), " numbers, expected 3");
  return {values[0], values[1], values[2]};
}

}  // namespace switchyard
