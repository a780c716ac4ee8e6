#pragma once
// Metrics of one set of generated samples, each with what its honest reading needs.

#include "core/base/params.h"
#include "eval/metrics/reference.h"

namespace switchyard {

struct GenerativeParams {
  /// Of fid, sfid, is, kid, precision, recall.
  std::vector<std::string> metrics = {"fid", "sfid", "is", "kid", "precision", "recall"};
  int64_t neighbours = 3;     ///< precision and recall: k
  int64_t kid_subset = 1000;  ///< or as many as the smaller set has
  int64_t kid_draws = 100;    ///< one where the subset is all of both sets
  int64_t is_chunk = 5000;    ///< inception score: consecutive samples of a split
  static void declare(Fields<GenerativeParams>& f);
};

/// Features of generated samples, all rows. `spatial` is of spatial_rows.
struct SampleFeatures {
  at::Tensor pooled_ND, spatial_NF, logits_NK;
  int64_t count() const { return pooled_ND.defined() ? pooled_ND.size(0) : 0; }
};

struct GenerativeValue {
  double value;            ///< times the metric's scale (metric_info); kUndefined: too few images
  int64_t references = 0;  ///< real images it was compared with; 0: none or not told
  std::string warning;     ///< why not to trust it, or nothing
};

/// One value per entry of params.metrics. `extractor`: its id, for messages. Errors: an unknown
/// metric; a metric whose features one side lacks; sets of two widths.
std::vector<GenerativeValue> generative_values(const ReferenceFeatures& reference,
                                               const SampleFeatures& samples,
                                               const GenerativeParams& params,
                                               const std::string& extractor);

}  // namespace switchyard
