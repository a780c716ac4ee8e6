#pragma once
// Graded corruptions of test scans, severity 1 to 5, for robustness studies. Kinds follow
// ModelNet-C (Ren, Pan, Liu 2022, "Benchmarking and analyzing point cloud classification under
// corruptions"); the grades are ours, for scenes in metres, where that benchmark has single
// objects.

#include <memory>

#include "core/base/params.h"
#include "datasets/dataset.h"

namespace switchyard {

/// Severity s:
///   noise        every coordinate moves by a normal draw of s cm
///   density      a share of 2^-s of the points is kept
///   dropout      10 s % of the points are lost in balls of 0.5 m
///   occlusion    a wedge of 30 s degrees of azimuth is hidden, seen from the middle of the sensor
///                positions (or of the cloud)
///   rotation     the scan tilts by 4 s degrees about a random horizontal axis
///   scale        lengths grow or shrink by the factor 1 + 0.1 s
///   reflectance  a share of s / 5 of the points has the scan's mean colour and intensity
const std::vector<std::string>& corruption_kinds();

struct CorruptionParams {
  std::string kind = "noise";
  int64_t severity = 0;  ///< 0: nothing is changed
  static void declare(Fields<CorruptionParams>& f);
};

/// At least one point stays. Replaces tensors, never writes them. Errors: coord missing or of a
/// wrong shape.
void corrupt(Sample& sample, const CorruptionParams& params, RandomStream stream);

/// Every sample of `inner` corrupted; draws depend on the uri alone, so that all models and seeds
/// meet the same scans. Severity 0: `inner` itself.
std::shared_ptr<const Dataset> corrupted(std::shared_ptr<const Dataset> inner,
                                         const CorruptionParams& params);

}  // namespace switchyard
