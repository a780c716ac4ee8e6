#pragma once
// From arrays as files hold them to the tensors of a sample (datasets/dataset.h). Every function
// takes the array of one file and says with `where` what is wrong with it.

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// What float32 still places well: at 1e6 m its steps are 6 cm wide.
inline constexpr double kMaxCoordinate = 1e6;

/// Errors unless `stored` is [N] (`columns` 0) or [N, columns] and of `dtype`, where kFloat stands
/// for any floating type and kLong for any integer type.
void check_array(const at::Tensor& stored, int64_t columns, at::ScalarType dtype,
                 const std::string& where);

/// [N,3], any floating type, metres -> f32. Errors: finite coordinates beyond kMaxCoordinate, or
/// f64 that would move by more than 1 mm. NaN and infinite points stay: see drop_non_finite.
at::Tensor to_coord(const at::Tensor& stored, const std::string& where);

/// [N,3], uint8 or any number type that holds whole numbers 0 .. 255 only -> u8. Errors: others;
/// colours from 0 to 1 are not guessed.
at::Tensor to_color(const at::Tensor& stored, const std::string& where);

/// [N] or [N,1], any integer type -> [N] i64.
at::Tensor to_ids(const at::Tensor& stored, const std::string& where);

/// [N] any integer type -> i64 with -1 for ignore (in uint8: 255). An Error counts the labels that
/// are not -1 .. classes - 1.
at::Tensor to_labels(const at::Tensor& stored, int64_t classes, const std::string& where);

}  // namespace switchyard
