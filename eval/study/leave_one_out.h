#pragma once
// Leave one domain out (Gulrajani, Lopez-Paz 2021, "In search of lost domain generalization"):
// every training domain in turn is held out, and the model trained on the others is evaluated on
// all.

#include "eval/study/protocol.h"

namespace switchyard {

class LeaveOneDomainOut : public Protocol {
 public:
  /// Seed by seed, held-out domain by held-out domain, all arms. Errors: fewer than two training
  /// domains, one that is not evaluated.
  std::vector<StudyCell> plan(const StudyParams& params, const ConfigNode& config) const override;
  /// Takes the held-out domain, in all its splits, out of task.train_domains.
  ConfigNode configure(ConfigNode config, const StudyCell& cell,
                       const std::filesystem::path& study) const override;
  std::string about(const StudyCell& cell) const override { return "without " + cell.holdout; }
  /// Score of every domain when held out; reference: its mean score over the cells that trained on
  /// it. Both come from as many training domains.
  std::optional<ProtocolSummary> summarise(const std::vector<CellTable>& cells) const override;
};

}  // namespace switchyard
