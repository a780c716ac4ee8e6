#pragma once
// Protocols: which cells a study has, what each of them changes in the config, and the summary of
// their results (DESIGN 9). A protocol reads only the domain lists of the task, so it serves every
// modality.

#include <memory>

#include "eval/study/protocol_summary.h"
#include "eval/study/study.h"

namespace switchyard {

/// A cell with the primary table of one of its evaluations.
struct CellTable {
  StudyCell cell;
  ResultTable table;
  std::string condition = {};
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Cells in the order in which they run; `config` is the study's. Errors: domains that do not fit
  /// the protocol.
  virtual std::vector<StudyCell> plan(const StudyParams& params,
                                      const ConfigNode& config) const = 0;
  /// The config of a cell, from that of its arm and seed; `study`: the study's folder.
  virtual ConfigNode configure(ConfigNode config, const StudyCell& cell,
                               const std::filesystem::path& study) const = 0;
  /// The evaluations of every cell: "" is the plain one, others have a name and a changed config.
  virtual std::vector<std::string> conditions(const StudyParams&) const { return {""}; }
  virtual ConfigNode configure_condition(ConfigNode config, const std::string&) const {
    return config;
  }
  /// The cell whose weights this one starts from and whose scores it is compared with. Such cells
  /// are not in eval/table.
  virtual std::optional<StudyCell> source(const StudyCell&) const { return {}; }
  /// What sets a cell apart besides arm and seed, for the log; "" for nothing.
  virtual std::string about(const StudyCell&) const { return ""; }
  /// Nothing where eval/table.md says it all.
  virtual std::optional<ProtocolSummary> summarise(const std::vector<CellTable>& cells) const = 0;
};

/// "seen_unseen": trains on task.train_domains, evaluates on task.test_domains.
/// "leave_one_domain_out": every domain of task.train_domains in turn is left out of training.
/// "corruption_sweep": as seen_unseen, then evaluated once more for every kind and severity of
/// study.corruption. "few_shot": as seen_unseen, then every model is adapted to every unseen domain
/// with a few of its labelled sequences.
/// Errors: an unknown name, with the valid ones.
std::unique_ptr<Protocol> make_protocol(const std::string& name);

/// Every arm and seed with the given held-out set.
std::vector<StudyCell> arms_and_seeds(const StudyParams& params, const std::string& holdout);

/// The list at `path`, as in "task.train_domains". Errors: missing, no list of strings.
std::vector<std::string> names_at(const ConfigNode& config, const std::string& path);
/// "ika_sensor" of "ika_sensor@train".
std::string domain_of(const std::string& name);
/// The domains of a list of names, without repetition, in first-seen order.
std::vector<std::string> domains_at(const ConfigNode& config, const std::string& path);

}  // namespace switchyard
