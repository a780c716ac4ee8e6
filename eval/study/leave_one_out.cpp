#include "eval/study/leave_one_out.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr char kTrain[] = "task.train_domains", kTest[] = "task.test_domains";

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

std::vector<StudyCell> LeaveOneDomainOut::plan(const StudyParams& params,
                                               const ConfigNode& config) const {
  const auto trained = domains_at(config, kTrain), tested = domains_at(config, kTest);
  check(trained.size() >= 2, kTrain, "too few domains to leave one out: got ", trained.size(), " (",
        join(trained), "), expected at least 2");
  for (const auto& domain : trained)
    check(contains(tested, domain), kTest, "a domain to be held out is not evaluated: expected '",
          domain, "' among ", join(tested));
  std::vector<StudyCell> cells;
  for (const int64_t seed : params.seeds) {
    StudyParams one = params;
    one.seeds = {seed};
    for (const auto& domain : trained) {
      const auto added = arms_and_seeds(one, domain);
      cells.insert(cells.end(), added.begin(), added.end());
    }
  }
  return cells;
}

ConfigNode LeaveOneDomainOut::configure(ConfigNode config, const StudyCell& cell,
                                        const std::filesystem::path&) const {
  ConfigNode& list = config.child("task").child("train_domains");
  ConfigNode::List left = list.as_list(kTrain);
  std::erase_if(left, [&](const ConfigNode& name) {
    return domain_of(name.as_string(kTrain)) == cell.holdout;
  });
  list.set_value(std::move(left));
  return config;
}

std::optional<ProtocolSummary> LeaveOneDomainOut::summarise(
    const std::vector<CellTable>& cells) const {
  std::vector<std::string> holdouts;
  for (const auto& entry : cells) holdouts.push_back(entry.cell.holdout);
  ScoreTable held_out, seen;
  for (const auto& [cell, table, condition] : cells) {
    for (const auto& row : table.rows) {
      const std::string domain = domain_of(row.domain);
      if (!contains(holdouts, domain)) continue;
      (domain == cell.holdout ? held_out : seen).add({row.domain, cell.arm, cell.seed}, row.value);
    }
  }
  ProtocolSummary out{
      "leave_one_domain_out", cells.front().table.metric, "domain", "held out", "seen", false, {}};
  const auto& all = held_out.conditions();
  for (const auto& arm : held_out.arms()) {
    for (const auto& name : all)
      out.rows.push_back(
          {"", name, arm, held_out.per_seed({name}, arm), seen.per_seed({name}, arm)});
    out.rows.push_back({"", "mean", arm, held_out.per_seed(all, arm), seen.per_seed(all, arm)});
  }
  return out;
}

}  // namespace switchyard
