#pragma once
// Robustness against graded corruptions of the test data (Hendrycks, Dietterich 2019, "Benchmarking
// neural network robustness to common corruptions and perturbations"; for point clouds Ren, Pan,
// Liu 2022). Training never sees them.

#include "eval/study/protocol.h"

namespace switchyard {

class CorruptionSweep : public Protocol {
 public:
  /// Errors: no kind, no severity.
  std::vector<StudyCell> plan(const StudyParams& params, const ConfigNode& config) const override;
  ConfigNode configure(ConfigNode config, const StudyCell& cell,
                       const std::filesystem::path& study) const override;
  /// "", then "<kind>-<severity>".
  std::vector<std::string> conditions(const StudyParams& params) const override;
  /// Sets task.corruption; no trace is recorded.
  ConfigNode configure_condition(ConfigNode config, const std::string& condition) const override;
  /// One block for the seen domains, one for the unseen: mean score under every corruption, its
  /// mean over severities and over all, beside the clean score.
  std::optional<ProtocolSummary> summarise(const std::vector<CellTable>& cells) const override;
};

}  // namespace switchyard
