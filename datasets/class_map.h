#pragma once
// Raw label ids of a data domain -> classes of an experiment (configs/class_map).

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "core/config/node.h"

namespace switchyard {

/// The raw label id that a key of a map is. Error: no whole number >= 0.
int64_t raw_id(const std::string& text, const std::string& where);

class ClassMap {
 public:
  /// `node`: {classes: [name, ...], map: {raw id: name or ignore}}. Errors: a duplicate or unknown
  /// class name, a raw id that is no integer >= 0.
  static ClassMap from_config(const ConfigNode& node, const std::string& what);

  const std::vector<std::string>& class_names() const { return class_names_; }
  /// Raw ids [N], any integer type -> class indices [N] i64, -1 = ignore. Ids that the map does not
  /// hold are an Error at `where` that gives the count of each.
  at::Tensor apply(const at::Tensor& raw, const std::string& where) const;
  /// Changes when the map changes.
  std::string text() const;

 private:
  std::vector<std::string> class_names_;
  std::map<int64_t, int64_t> index_of_;
};

}  // namespace switchyard
