#pragma once
// Labelled rows for the probes.

#include "eval/analysis/stats.h"

namespace switchyard {

struct ProbeRows {
  std::vector<float> x;  ///< [rows, channels]
  Indices label;         ///< [rows], 0 .. labels-1
  int64_t channels = 0, labels = 0;
  int64_t rows() const { return static_cast<int64_t>(label.size()); }
  const float* row(int64_t i) const { return x.data() + i * channels; }

  /// Weight of a row of each label when every label counts the same; the weights of all rows sum
  /// to 1.
  Row balanced_weights() const;
};

}  // namespace switchyard
