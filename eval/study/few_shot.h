#pragma once
// Adaptation to an unseen domain with a few of its labelled sequences: all parameters are tuned
// from the weights of the model that never saw it.

#include "eval/study/protocol.h"

namespace switchyard {

class FewShot : public Protocol {
 public:
  /// Seed by seed: the source models, then for every unseen domain and number of shots all arms;
  /// the held-out set is then called "<domain>-<shots>shot". Errors: no unseen domain, one that is
  /// evaluated only on the split that the shots come from.
  std::vector<StudyCell> plan(const StudyParams& params, const ConfigNode& config) const override;
  /// Of an adapted cell: trains on task.shots sequences of the domain's task.train_split, from the
  /// source model's newest checkpoint; that split of the domain is no longer evaluated.
  ConfigNode configure(ConfigNode config, const StudyCell& cell,
                       const std::filesystem::path& study) const override;
  std::optional<StudyCell> source(const StudyCell& cell) const override;
  std::string about(const StudyCell& cell) const override {
    return source(cell) ? "adapted to " + cell.holdout : "";
  }
  /// Two blocks: the adapted domain's score beside that before adaptation, and the same for the
  /// domains that the source model was trained on.
  std::optional<ProtocolSummary> summarise(const std::vector<CellTable>& cells) const override;
};

}  // namespace switchyard
