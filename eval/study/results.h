#pragma once
// Results of a study: eval/table.{json,csv,md} (one row per model, seed and domain, DESIGN 8) and
// eval/groups.json (numerators and denominators per class and group, from which intervals come).

#include <filesystem>
#include <map>
#include <optional>

#include "eval/analysis/stats.h"

namespace switchyard {

struct TableRow {
  std::string model, arm, role;
  int64_t seed = 0;
  std::string domain;
  bool seen = true;
  std::string split;
  double value = kUndefined;
  int64_t step = 0;
  std::string weights;  ///< "raw" or "ema"
  double params_total = kUndefined, params_active = kUndefined, flops_per_token = kUndefined;
  std::string data_hash;
  bool oracle = false;  ///< the model reads the data domain at evaluation
  /// Of generated samples only: how many were scored against how many real ones (0: none or not
  /// told), and why not to trust the value.
  int64_t samples = 0, references = 0;
  std::string warning;
};

struct ResultTable {
  std::string protocol, metric;
  std::vector<TableRow> rows;
};

/// One group (room, clip) of one model: per class sums whose ratio is the metric (hits / union
/// ...).
struct GroupRow {
  std::string arm;
  int64_t seed = 0;
  std::string domain;
  bool seen = true;
  std::string group, uri;
  Row num, den;  ///< [classes]
};

struct GroupResults {
  std::string metric;
  double scale = 100;
  std::vector<GroupRow> rows;
  std::map<std::string, Indices> classes;  ///< per domain: the class indices that count
};

ResultTable read_table(const std::filesystem::path& path);
/// Writes `<stem>.json` and `<stem>.csv` into `folder`; undefined numbers are null and empty.
void write_table(const std::filesystem::path& folder, const ResultTable& table,
                 const std::string& stem = "table");
GroupResults read_groups(const std::filesystem::path& path);
void write_groups(const std::filesystem::path& path, const GroupResults& groups);

/// scale * mean over the domain's classes of sum(num) / sum(den); classes with den 0 count as 0.
/// `rows` are the groups of one (arm, seed, domain). kUndefined without rows or classes.
double ratio_metric(const std::vector<const GroupRow*>& rows, const Indices& classes, double scale);

/// One cell of figure 1. `lo`, `hi` are undefined where no interval can be given.
struct SummaryCell {
  std::string arm;
  Row seeds;  ///< value per seed, in order of seed
  double mean = kUndefined, lo = kUndefined, hi = kUndefined;
};
struct SummaryDifference {
  std::string arm, against;
  Difference difference;  ///< arm - against
};
struct SummaryRow {
  std::string domain;  ///< "mean of unseen", "mean of seen" for the two mean rows
  bool seen = true, is_mean = false;
  std::vector<SummaryCell> cells;              ///< [arm]
  std::vector<SummaryDifference> differences;  ///< first arm minus each other
  int64_t better_twin = -1;                    ///< index into `differences`: smallest advantage
};
struct SummaryTable {
  std::string metric;
  std::vector<std::string> arms, roles;  ///< moe first; roles from the table
  std::vector<std::string> oracles;      ///< the arms that read the data domain at evaluation
  std::vector<SummaryRow> rows;          ///< unseen, mean of unseen, seen, mean of seen
  int64_t seeds = 0;                     ///< fewest seeds of an arm
  /// "t interval over 3 seeds", "paired bootstrap over 20 rooms, one training run" or "none"
  std::string interval;
};

/// Figure 1 and table.md; which way is better, metric_info says. Several values of one (arm,
/// domain, seen, seed), as from several held-out sets, are averaged. With >= 3 seeds in every arm:
/// t and Welch intervals over seeds. With fewer, paired bootstraps over groups from `groups`
/// (`group_word` names them: "rooms"): the same groups are drawn for every arm and domain, and a
/// class that a resample lacks is left out of its mean. Without groups: none. Errors: groups of
/// another metric.
SummaryTable summarise(const ResultTable& table, const std::optional<GroupResults>& groups,
                       const std::string& group_word, int64_t draws, RandomStream stream);

/// Markdown of a summary, with the interval rule and costs of the arms.
std::string summary_markdown(const SummaryTable& summary, const ResultTable& table);

}  // namespace switchyard
