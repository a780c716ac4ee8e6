#include "datasets/point_cloud/arrays.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

#include "core/base/error.h"

namespace switchyard {
namespace {

bool has_type(const at::Tensor& tensor, at::ScalarType dtype) {
  if (dtype == at::kFloat) return tensor.is_floating_point();
  if (dtype == at::kLong) return at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false);
  return tensor.scalar_type() == dtype;
}

/// Largest absolute value of the finite elements; 0 if there is none.
double largest(const at::Tensor& values) {
  if (values.numel() == 0) return 0;
  return at::where(values.isfinite(), values.abs(), 0).max().item<double>();
}

}  // namespace

void check_array(const at::Tensor& stored, int64_t columns, at::ScalarType dtype,
                 const std::string& where) {
  const bool shaped = stored.dim() == (columns ? 2 : 1) && (!columns || stored.size(1) == columns);
  check(shaped, where, "wrong shape: got ", to_text(stored.sizes().vec()), ", expected ",
        columns ? cat("[N, ", columns, "]") : std::string("[N]"));
  check(has_type(stored, dtype), where, "wrong type: got ", c10::toString(stored.scalar_type()),
        ", expected ",
        dtype == at::kFloat  ? "floating point"
        : dtype == at::kLong ? "an integer type"
                             : "uint8");
}

at::Tensor to_coord(const at::Tensor& stored, const std::string& where) {
  constexpr double kMaxMove = 1e-3;
  check_array(stored, 3, at::kFloat, where);
  const double far = largest(stored);
  check(far <= kMaxCoordinate, where, "coordinates are too large for float32: got ", far,
        ", expected at most ", kMaxCoordinate,
        " m; valid: metres, with the same offset subtracted from all points of a scene");
  const at::Tensor coord_N3 = stored.to(at::kFloat).contiguous();
  if (stored.scalar_type() != at::kDouble) return coord_N3;
  const double moved = largest(coord_N3.to(at::kDouble) - stored);
  check(moved <= kMaxMove, where, "float32 would move points by ", moved, " m: expected at most ",
        kMaxMove, "; valid: the same offset subtracted from all points of a scene");
  return coord_N3;
}

at::Tensor to_color(const at::Tensor& stored, const std::string& where) {
  if (stored.scalar_type() == at::kByte) {
    check_array(stored, 3, at::kByte, where);
    return stored.contiguous();
  }
  check_array(stored, 3, stored.is_floating_point() ? at::kFloat : at::kLong, where);
  const at::Tensor values = stored.to(at::kDouble);
  const at::Tensor whole = (values >= 0) & (values <= 255) & (values == values.round());
  const int64_t bad = whole.numel() - whole.sum().item<int64_t>();
  check(bad == 0, where, bad, " colour values are not whole numbers from 0 to 255",
        bad ? cat(": got ", values.masked_select(whole.logical_not())[0].item<double>()) : "");
  return values.to(at::kByte);
}

at::Tensor to_ids(const at::Tensor& stored, const std::string& where) {
  const bool column = stored.dim() == 2 && stored.size(1) == 1;
  const at::Tensor flat = column ? stored.squeeze(1) : stored;
  check_array(flat, 0, at::kLong, where);
  return flat.to(at::kLong).contiguous();
}

at::Tensor to_labels(const at::Tensor& stored, int64_t classes, const std::string& where) {
  check_array(stored, 0, at::kLong, where);
  at::Tensor out = stored.to(at::kLong, false, /*copy=*/true);
  if (stored.scalar_type() == at::kByte) out.masked_fill_(out == 255, -1);
  const at::Tensor bad = out.masked_select((out < -1) | (out >= classes));
  if (bad.numel() == 0) return out;
  fail(where, bad.numel(), " labels are no class: got ", bad.min().item<int64_t>(), " .. ",
       bad.max().item<int64_t>(), ", expected -1 .. ", classes - 1);
}

}  // namespace switchyard
