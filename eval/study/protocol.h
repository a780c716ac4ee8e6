#pragma once
// Protocols: which cells a study has, what each of them changes in the config, and the summary of
// their results (DESIGN 9). A protocol reads only the domain lists of the task, so it serves every
// modality.

#include <memory>

#include "eval/study/protocol_summary.h"
#include "eval/study/study.h"

namespace switchyard {

/// A cell with the primary table of its evaluation.
struct CellTable {
  StudyCell cell;
  ResultTable table;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Cells in the order in which they run; `config` is the study's. Errors: an unknown arm, domains
  /// that do not fit the protocol.
  virtual std::vector<StudyCell> plan(const StudyParams& params,
                                      const ConfigNode& config) const = 0;
  /// The config of a cell, from that of its arm and seed.
  virtual ConfigNode configure(ConfigNode config, const StudyCell& cell) const = 0;
  /// Nothing where eval/table.md says it all.
  virtual std::optional<ProtocolSummary> summarise(const std::vector<CellTable>& cells) const = 0;
};

/// "seen_unseen": trains on task.train_domains, evaluates on task.test_domains.
/// "leave_one_domain_out": every domain of task.train_domains in turn is left out of training.
/// Errors: an unknown name, with the valid ones.
std::unique_ptr<Protocol> make_protocol(const std::string& name);

/// Every arm and seed with the given held-out set. Error: an unknown arm.
std::vector<StudyCell> arms_and_seeds(const StudyParams& params, const std::string& holdout);

/// The list at `path`, as in "task.train_domains". Errors: missing, no list of strings.
std::vector<std::string> names_at(const ConfigNode& config, const std::string& path);
/// "ika_sensor" of "ika_sensor@train".
std::string domain_of(const std::string& name);

}  // namespace switchyard
