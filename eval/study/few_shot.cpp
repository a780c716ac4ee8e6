#include "eval/study/few_shot.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr char kTrain[] = "task.train_domains", kTest[] = "task.test_domains", kSource[] = "unseen";

/// A held-out set "<domain>-<shots>shot".
struct Target {
  std::string domain;
  int64_t shots = 0;
  explicit Target(const std::string& holdout)
      : domain(holdout.substr(0, holdout.rfind('-'))),
        shots(std::stoll(holdout.substr(holdout.rfind('-') + 1))) {}
  static std::string name(const std::string& domain, int64_t shots) {
    return cat(domain, "-", shots, "shot");
  }
};

std::string split_of(const std::string& name, const std::string& otherwise) {
  const size_t at = name.find('@');
  return at == std::string::npos ? otherwise : name.substr(at + 1);
}

std::string text_at(const ConfigNode& config, const std::string& path) {
  const ConfigNode* node = config.find_path(path);
  check(node != nullptr, "study.protocol", "few_shot needs ", path, ", which the config lacks");
  return node->as_string(path);
}

/// task.test_domains without the split of `domain` that its shots come from.
std::vector<std::string> left_to_test(const ConfigNode& config, const std::string& domain) {
  const std::string train_split = text_at(config, "task.train_split"),
                    test_split = text_at(config, "task.test_split");
  std::vector<std::string> out;
  for (const auto& name : names_at(config, kTest)) {
    if (domain_of(name) != domain || split_of(name, test_split) != train_split) out.push_back(name);
  }
  return out;
}

std::vector<std::string> unseen_domains(const ConfigNode& config) {
  const auto trained = domains_at(config, kTrain);
  auto out = domains_at(config, kTest);
  std::erase_if(out, [&](const std::string& domain) {
    return std::find(trained.begin(), trained.end(), domain) != trained.end();
  });
  check(!out.empty(), kTest, "no unseen domain to adapt to: all of ", join(trained),
        " are trained on");
  for (const auto& domain : out) {
    const auto left = left_to_test(config, domain);
    check(std::any_of(left.begin(), left.end(),
                      [&](const auto& name) { return domain_of(name) == domain; }),
          kTest, "'", domain, "' is evaluated only on the split that its shots come from");
  }
  return out;
}

ConfigNode list_of(const std::vector<std::string>& names) {
  ConfigNode::List out;
  for (const auto& name : names) out.push_back(ConfigNode(name, {"study.few_shot", 0}));
  return ConfigNode(std::move(out));
}

struct Scores {
  ScoreTable target, source;
};

void add_rows(ProtocolSummary& summary, const std::string& block, const ScoreTable& adapted,
              const ScoreTable& before) {
  for (const auto& arm : adapted.arms()) {
    for (const auto& name : adapted.conditions())
      summary.rows.push_back(
          {block, name, arm, adapted.per_seed({name}, arm), before.per_seed({name}, arm)});
  }
}

}  // namespace

std::vector<StudyCell> FewShot::plan(const StudyParams& params, const ConfigNode& config) const {
  check(!params.few_shot.shots.empty(), "study.few_shot.shots", "is empty: expected numbers >= 1");
  const auto domains = unseen_domains(config);
  std::vector<StudyCell> cells;
  for (const int64_t seed : params.seeds) {
    StudyParams one = params;
    one.seeds = {seed};
    const auto add = [&](const std::string& holdout) {
      const auto added = arms_and_seeds(one, holdout);
      cells.insert(cells.end(), added.begin(), added.end());
    };
    add(kSource);
    for (const auto& domain : domains)
      for (const int64_t shots : params.few_shot.shots) add(Target::name(domain, shots));
  }
  return cells;
}

ConfigNode FewShot::configure(ConfigNode config, const StudyCell& cell,
                              const std::filesystem::path& study) const {
  const auto from = source(cell);
  if (!from) return config;
  const Origin origin{"study.few_shot", 0};
  const Target target(cell.holdout);
  const auto params = parse_params<StudyParams>(*config.find_path("study"), "study").few_shot;
  ConfigNode& task = config.child("task");
  task.child("test_domains") = list_of(left_to_test(config, target.domain));
  task.child("train_domains") = list_of({target.domain});
  task.child("shots") = ConfigNode(target.shots, origin);
  config.child("checkpoint") = ConfigNode((study / from->folder()).string(), origin);
  config.child("trainer").child("max_steps") = ConfigNode(params.steps, origin);
  ConfigNode& lr = config.child("optimizer").child("lr");
  lr = ConfigNode(lr.as_double("optimizer.lr") * params.lr_factor, origin);
  return config;
}

std::optional<StudyCell> FewShot::source(const StudyCell& cell) const {
  if (cell.holdout == kSource) return {};
  return StudyCell{cell.arm, kSource, cell.seed};
}

std::optional<ProtocolSummary> FewShot::summarise(const std::vector<CellTable>& cells) const {
  std::map<std::filesystem::path, const ResultTable*> tables;
  for (const auto& entry : cells) tables[entry.cell.folder()] = &entry.table;
  Scores adapted, before;
  for (const auto& [cell, table, condition] : cells) {
    const auto from = source(cell);
    if (!from) continue;
    const Target target(cell.holdout);
    for (const auto& row : table.rows) {
      const auto& rows = tables.at(from->folder())->rows;
      const auto old = std::find_if(rows.begin(), rows.end(),
                                    [&](const auto& r) { return r.domain == row.domain; });
      if (old == rows.end()) continue;
      const bool own = domain_of(row.domain) == target.domain;
      if (!own && !old->seen) continue;
      const ScoreTable::Key key{cat(own ? row.domain : target.domain, ", ", target.shots,
                                    target.shots == 1 ? " shot" : " shots"),
                                cell.arm, cell.seed};
      (own ? adapted.target : adapted.source).add(key, row.value);
      (own ? before.target : before.source).add(key, old->value);
    }
  }
  ProtocolSummary out{
      "few_shot", cells.front().table.metric, "adapted to", "adapted", "before", false, {}};
  add_rows(out, "adapted domain", adapted.target, before.target);
  add_rows(out, "domains seen before", adapted.source, before.source);
  return out;
}

}  // namespace switchyard
