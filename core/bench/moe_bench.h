#pragma once

#include <optional>

#include "core/bench/moe_variants.h"
#include "core/bench/stopwatch.h"

namespace switchyard {

struct MoeBenchOptions {
  std::vector<std::string> shapes, variants;
  std::string routing = "balanced", mode = "eager";
  bool bias = false;
  int64_t divide = 1;  ///< of the tokens
  at::ScalarType type = at::kBFloat16;
  at::Device device = at::kCPU;
};

/// One variant at one shape and pass.
struct MoeBenchRow {
  MoeShape shape;
  std::string variant;
  Pass pass;
  Timings timings;
  double noise = 0;  ///< |difference| of the medians of the two rounds / median
  std::optional<double> saved_bytes_per_token;  ///< kept for the backward pass; GPU only
  int64_t peak_bytes = 0;                       ///< beyond inputs; GPU only
  std::string skipped;                          ///< why there are no timings
};

/// A pass of every variant at one shape, all variants in turn, twice: A B A B. ForwardBackward:
/// with the gradients of x, logits and weights.
std::vector<MoeBenchRow> bench_moe(const MoeShape& shape, Pass pass,
                                   const MoeBenchOptions& options);

}  // namespace switchyard
