#pragma once
// Summary of a protocol: every arm's score under every condition (a held-out domain, say) beside
// the score it is compared with; mean and spread over seeds.

#include <filesystem>
#include <optional>

#include "eval/study/results.h"

namespace switchyard {

struct ProtocolRow {
  std::string block;      ///< the table that the row belongs to; "" where there is one
  std::string condition;  ///< its line there
  std::string arm;
  Row values, reference;  ///< one score per seed, in order of seed

  /// Mean of values minus mean of reference; `relative`: as a drop, in per cent of the reference.
  double change(bool relative) const;
};

struct ProtocolSummary {
  std::string protocol, metric;
  std::string condition, value, reference;  ///< column titles
  bool relative = false;                    ///< printed as a drop (a rise where lower is better)
  std::vector<ProtocolRow> rows;
};

/// Scores by condition, arm and seed; several of one key are averaged.
class ScoreTable {
 public:
  struct Key {
    std::string condition, arm;
    int64_t seed = 0;
    auto operator<=>(const Key&) const = default;
  };
  void add(const Key& key, double score);

  /// Mean over `conditions` of an arm, one value per seed that has all of them, in order of seed.
  Row per_seed(const std::vector<std::string>& conditions, const std::string& arm) const;
  /// In first-seen order.
  const std::vector<std::string>& conditions() const { return conditions_; }
  const std::vector<std::string>& arms() const { return arms_; }

 private:
  std::map<Key, Row> scores_;
  std::vector<std::string> conditions_, arms_;
};

/// One Markdown table per block: a line per condition, and per arm its score, reference and change.
/// Spread is the sample standard deviation over seeds; none is printed for a single seed.
std::string protocol_markdown(const ProtocolSummary& summary);

/// Writes summary.json, summary.csv (one line per row) and summary.md into `folder`. Undefined
/// numbers are null and empty.
void write_summary(const std::filesystem::path& folder, const ProtocolSummary& summary);

}  // namespace switchyard
