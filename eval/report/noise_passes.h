#pragma once
// Where the figures over noise levels take their passes from.

#include "eval/analysis/passes.h"
#include "eval/report/report_data.h"

namespace switchyard {

struct NoisePasses {
  const TraceView& trace;
  const std::vector<SequenceCounts>& counts;  ///< [site]
  bool made;  ///< while pictures were made; else noise was added to test pictures
  NoiseLevels levels;
  PassKinds kinds;
  std::vector<OverlayLayer> layers;
};

/// The passes that made pictures, else the test trace if it has noise levels, else nothing.
std::optional<NoisePasses> noise_passes(const ReportData& data);

/// "768 passes of 24 pictures, made at step 24 000"
std::string sample_of(const NoisePasses& passes, const Indices& shown);

}  // namespace switchyard
