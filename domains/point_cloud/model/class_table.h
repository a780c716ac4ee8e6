#pragma once
// The classes that a language-guided head knows, over all datasets (Point-MoE, PPT).

#include <ATen/core/Tensor.h>

#include <map>

#include "core/base/params.h"

namespace switchyard {

/// Config node: {classes: [wall, floor, ...], valid_index: {ScanNet: [0, 1, ...], ...}}. Two rows
/// may have the same name: the datasets that use them share its embedding.
struct ClassTable {
  std::vector<std::string> classes;
  std::map<std::string, std::vector<int64_t>>
      valid_index;  ///< dataset: its classes' rows, in order

  /// Errors: unknown keys, a row outside the table.
  static ClassTable parse(const ConfigNode& node, const std::string& what);
  /// Rows of one dataset. Errors: no such dataset.
  const std::vector<int64_t>& rows_of(const std::string& dataset) const;
};

/// One unit vector [dim] per name -> [names, dim], float: orthonormal over the distinct names,
/// drawn from `seed`. Stands in for the features of a text encoder, which place related classes
/// near each other; these do not. Errors: more distinct names than dimensions.
at::Tensor orthonormal_embedding(const std::vector<std::string>& names, int64_t dim, uint64_t seed);
/// The features of a text encoder, converted once: tensor `class_embedding` [names, dim] of a
/// safetensors file, rows scaled to unit length. Errors: shape.
at::Tensor read_embedding(const std::string& file, int64_t names, int64_t dim);

}  // namespace switchyard
