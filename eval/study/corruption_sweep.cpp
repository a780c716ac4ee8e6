#include "eval/study/corruption_sweep.h"

#include "core/base/text.h"

namespace switchyard {
namespace {

struct Corruption {
  std::string kind, severity;
  explicit Corruption(const std::string& condition)
      : kind(condition.substr(0, condition.rfind('-'))),
        severity(condition.substr(condition.rfind('-') + 1)) {}
};

/// Mean over the seen or the unseen domains under every condition.
struct Block {
  ScoreTable scores;
  std::string name;
};

/// The conditions of each kind, in the order in which the table has them.
std::vector<std::pair<std::string, std::vector<std::string>>> by_kind(const ScoreTable& scores) {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const auto& condition : scores.conditions()) {
    if (condition.empty()) continue;
    const std::string kind = Corruption(condition).kind;
    if (out.empty() || out.back().first != kind) out.push_back({kind, {}});
    out.back().second.push_back(condition);
  }
  return out;
}

void add_rows(ProtocolSummary& summary, const Block& block) {
  for (const auto& arm : block.scores.arms()) {
    const Row clean = block.scores.per_seed({""}, arm);
    std::vector<std::string> all;
    const auto add = [&](const std::string& title, const std::vector<std::string>& conditions) {
      summary.rows.push_back(
          {block.name, title, arm, block.scores.per_seed(conditions, arm), clean});
    };
    for (const auto& [kind, conditions] : by_kind(block.scores)) {
      for (const auto& condition : conditions)
        add(cat(kind, " ", Corruption(condition).severity), {condition});
      add(kind + ", mean", conditions);
      all.insert(all.end(), conditions.begin(), conditions.end());
    }
    add("mean", all);
  }
}

}  // namespace

std::vector<StudyCell> CorruptionSweep::plan(const StudyParams& params, const ConfigNode&) const {
  check(!params.corruption.kinds.empty(), "study.corruption.kinds",
        "is empty: expected values of task.corruption.kind");
  check(!params.corruption.severities.empty(), "study.corruption.severities",
        "is empty: expected some of 1 to 5");
  return arms_and_seeds(params, "unseen");
}

ConfigNode CorruptionSweep::configure(ConfigNode config, const StudyCell&,
                                      const std::filesystem::path&) const {
  return config;
}

std::vector<std::string> CorruptionSweep::conditions(const StudyParams& params) const {
  std::vector<std::string> out = {""};
  for (const auto& kind : params.corruption.kinds)
    for (const int64_t severity : params.corruption.severities)
      out.push_back(cat(kind, "-", severity));
  return out;
}

ConfigNode CorruptionSweep::configure_condition(ConfigNode config,
                                                const std::string& condition) const {
  if (condition.empty()) return config;
  const Corruption corruption(condition);
  ConfigNode& node = config.child("task").child("corruption");
  node.child("kind") = ConfigNode(corruption.kind, {"study.corruption.kinds", 0});
  node.child("severity") =
      ConfigNode(static_cast<int64_t>(std::stoll(corruption.severity)), {"study.corruption", 0});
  config.child("trace").child("enabled") = ConfigNode(false);
  return config;
}

std::optional<ProtocolSummary> CorruptionSweep::summarise(
    const std::vector<CellTable>& cells) const {
  Block seen{{}, "seen domains"}, unseen{{}, "unseen domains"};
  for (const auto& [cell, table, condition] : cells) {
    for (const auto& row : table.rows)
      (row.seen ? seen : unseen).scores.add({condition, cell.arm, cell.seed}, row.value);
  }
  ProtocolSummary out{
      "corruption_sweep", cells.front().table.metric, "corruption", "corrupted", "clean", true, {}};
  add_rows(out, seen);
  add_rows(out, unseen);
  return out;
}

}  // namespace switchyard
