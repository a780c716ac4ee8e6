#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "eval/study/metric_info.h"
#include "eval/study/results.h"

namespace switchyard {
namespace {

constexpr int64_t kSeedsForT = 3;
constexpr size_t kGroupsForBootstrap = 5;
using DomainKey = std::pair<std::string, bool>;  // name, seen
using BySeed = std::map<int64_t, Row>;  // several values of a seed (held-out sets) are averaged

template <class T>
void add_once(std::vector<T>& list, const T& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

double mean_defined(Row values) {
  std::erase_if(values, [](double x) { return !defined(x); });
  return mean(values);
}

// Sums of one (arm, seed, domain), one entry per group.
struct GroupSums {
  std::map<int64_t, GroupRow> by_group;

  /// Value when group g counts times[g] times.
  double metric(const Indices& times, const Indices& classes, double scale) const {
    double sum = 0;
    int64_t counted = 0;
    for (int64_t c : classes) {
      double num = 0, den = 0, all = 0;
      for (const auto& [group, row] : by_group) {
        const auto n = static_cast<double>(times[group]);
        num += n * row.num[c];
        den += n * row.den[c];
        all += row.den[c];
      }
      if (den > 0) sum += num / den;
      counted += den > 0 || all == 0;  // absent from this resample only: left out
    }
    return counted > 0 ? scale * sum / counted : kUndefined;
  }
};

// Bootstrap over groups: the same resample for every arm and domain.
class GroupBootstrap {
 public:
  GroupBootstrap(const GroupResults& groups, int64_t draws, RandomStream stream) : groups_(groups) {
    for (const auto& row : groups.rows) add(row);
    std::map<DomainKey, Indices> strata;
    for (size_t g = 0; g < first_domain_.size(); ++g)
      strata[first_domain_[g]].push_back(static_cast<int64_t>(g));
    for (int64_t r = 0; r < draws; ++r) {
      Indices times(first_domain_.size());
      for (const auto& [unused, list] : strata)
        for (size_t i = 0; i < list.size(); ++i)
          ++times[list[stream.below(static_cast<int64_t>(list.size()))]];
      times_.push_back(std::move(times));
    }
  }

  /// [replicate] value of an arm on a domain, mean over its seeds; empty without data.
  Row replicates(const std::string& arm, const DomainKey& domain) const {
    const auto found = sums_.find({arm, domain});
    if (found == sums_.end()) return {};
    const Indices& classes = groups_.classes.at(domain.first);
    Row out;
    for (const auto& times : times_) {
      Row values;
      for (const auto& [unused, sums] : found->second)
        values.push_back(sums.metric(times, classes, groups_.scale));
      out.push_back(mean_defined(values));
    }
    return out;
  }

  /// Fewest groups of a domain: with a handful, resampling them says nothing.
  size_t fewest_groups() const { return *group_counts().begin(); }

  /// "20" or "18 to 20": groups of a domain.
  std::string groups_per_domain() const {
    const std::set<size_t> sizes = group_counts();
    return *sizes.begin() == *sizes.rbegin() ? to_text(*sizes.begin())
                                             : cat(*sizes.begin(), " to ", *sizes.rbegin());
  }

 private:
  /// Numbers of groups that domains have; {0} without any.
  std::set<size_t> group_counts() const {
    std::map<DomainKey, std::set<int64_t>> ids;
    for (const auto& [key, by_seed] : sums_)
      for (const auto& [unused, sums] : by_seed)
        for (const auto& [group, row] : sums.by_group) ids[key.second].insert(group);
    std::set<size_t> sizes;
    for (const auto& [unused, set] : ids) sizes.insert(set.size());
    return sizes.empty() ? std::set<size_t>{0} : sizes;
  }

  void add(const GroupRow& row) {
    const std::string name = row.group.empty() ? row.uri : row.group;
    const DomainKey domain{row.domain, row.seen};
    const auto group = ids_.emplace(name, static_cast<int64_t>(ids_.size())).first->second;
    if (group == static_cast<int64_t>(first_domain_.size())) first_domain_.push_back(domain);
    auto [found, fresh] = sums_[{row.arm, domain}][row.seed].by_group.emplace(group, row);
    if (fresh) return;
    for (size_t c = 0; c < row.num.size(); ++c) {
      found->second.num[c] += row.num[c];
      found->second.den[c] += row.den[c];
    }
  }

  const GroupResults& groups_;
  std::map<std::string, int64_t> ids_;
  std::vector<DomainKey> first_domain_;  // [group] where its name appeared first
  std::map<std::pair<std::string, DomainKey>, std::map<int64_t, GroupSums>> sums_;
  IndexTable times_;  // [replicate][group]
};

class Summariser {
 public:
  Summariser(const ResultTable& table, const GroupBootstrap* bootstrap)
      : info_(metric_info(table.metric)), bootstrap_(bootstrap) {
    out_.metric = table.metric;
    for (const auto& row : table.rows) {
      if (std::find(out_.arms.begin(), out_.arms.end(), row.arm) == out_.arms.end()) {
        const bool moe = row.role == "moe";
        out_.arms.insert(moe ? out_.arms.begin() : out_.arms.end(), row.arm);
        out_.roles.insert(moe ? out_.roles.begin() : out_.roles.end(), row.role);
      }
      if (row.oracle) add_once(out_.oracles, row.arm);
      add_once(domains_, {row.domain, row.seen});
      values_[{row.arm, {row.domain, row.seen}}][row.seed].push_back(row.value);
    }
    out_.seeds = fewest_seeds();
  }

  SummaryTable run(const std::string& group_word) {
    choose_interval(group_word);
    for (const bool seen : {false, true}) {
      std::vector<DomainKey> block;
      for (const auto& domain : domains_)
        if (domain.second == seen) block.push_back(domain);
      for (const auto& domain : block) add_row(domain.first, seen, {domain});
      if (block.size() > 1) {
        add_row(seen ? "mean of seen" : "mean of unseen", seen, block);
        out_.rows.back().is_mean = true;
      }
    }
    return out_;
  }

 private:
  int64_t fewest_seeds() const {
    int64_t fewest = values_.empty() ? 0 : std::numeric_limits<int64_t>::max();
    for (const auto& [unused, by_seed] : values_)
      fewest = std::min(fewest, static_cast<int64_t>(by_seed.size()));
    return fewest;
  }

  void choose_interval(const std::string& group_word) {
    const int64_t seeds = out_.seeds;
    if (seeds >= kSeedsForT) {
      out_.interval = cat("t interval over ", seeds, " seeds");
    } else if (bootstrap_ != nullptr) {
      out_.interval = cat("paired bootstrap over ", bootstrap_->groups_per_domain(), " ",
                          group_word, ", ", seeds == 1 ? "one training run" : "two training runs");
    } else {
      out_.interval = "none";
    }
  }

  // Value per seed: the mean over `domains`, of seeds that have all of them.
  Row seed_values(const std::string& arm, const std::vector<DomainKey>& domains) const {
    std::map<int64_t, Row> by_seed;
    for (const auto& domain : domains) {
      const auto found = values_.find({arm, domain});
      if (found == values_.end()) return {};
      for (const auto& [seed, values] : found->second)
        if (const double x = mean_defined(values); defined(x)) by_seed[seed].push_back(x);
    }
    Row out;
    for (const auto& [unused, values] : by_seed)
      if (values.size() == domains.size()) out.push_back(mean(values));
    return out;
  }

  Row replicates(const std::string& arm, const std::vector<DomainKey>& domains) const {
    Row sum;
    if (bootstrap_ == nullptr || out_.seeds >= kSeedsForT) return sum;
    for (const auto& domain : domains) {
      const Row part = bootstrap_->replicates(arm, domain);
      if (part.empty()) return {};
      sum.resize(part.size());
      for (size_t r = 0; r < part.size(); ++r) sum[r] += part[r] / domains.size();
    }
    return sum;
  }

  void add_row(const std::string& name, bool seen, const std::vector<DomainKey>& domains) {
    SummaryRow row;
    row.domain = name;
    row.seen = seen;
    Table boot;
    for (const auto& arm : out_.arms) {
      boot.push_back(replicates(arm, domains));
      row.cells.push_back(make_cell(arm, seed_values(arm, domains), boot.back()));
    }
    for (size_t m = 1; m < out_.arms.size(); ++m) {
      row.differences.push_back({out_.arms[0], out_.arms[m],
                                 make_difference(row.cells[0], row.cells[m], boot[0], boot[m])});
      const auto& twin = row.differences.back().difference;
      const bool comparable = out_.roles[m] == "active" || out_.roles[m] == "total";
      if (!comparable || !defined(twin.diff)) continue;
      const auto gain = [&](size_t i) { return info_.gain(row.differences[i].difference.diff); };
      if (row.better_twin < 0 || gain(m - 1) < gain(static_cast<size_t>(row.better_twin)))
        row.better_twin = static_cast<int64_t>(m) - 1;
    }
    out_.rows.push_back(std::move(row));
  }

  SummaryCell make_cell(const std::string& arm, Row seeds, const Row& boot) const {
    SummaryCell cell{arm, std::move(seeds)};
    cell.mean = mean(cell.seeds);
    const MeanInterval interval = t_interval(cell.seeds, 0.95, kSeedsForT);
    const bool over_seeds = out_.seeds >= kSeedsForT;
    cell.lo = over_seeds ? interval.lo : percentile(boot, 2.5);
    cell.hi = over_seeds ? interval.hi : percentile(boot, 97.5);
    return cell;
  }

  Difference make_difference(const SummaryCell& a, const SummaryCell& b, const Row& boot_a,
                             const Row& boot_b) const {
    Difference out = welch(a.seeds, b.seeds, 0.95, kSeedsForT);
    out.verdict = info_.verdict(out.lo, out.hi);
    if (out_.seeds >= kSeedsForT || boot_a.empty() || boot_b.empty()) return out;
    Row boot(boot_a.size());
    for (size_t r = 0; r < boot.size(); ++r) boot[r] = boot_a[r] - boot_b[r];
    out.lo = percentile(boot, 2.5);
    out.hi = percentile(boot, 97.5);
    out.verdict = info_.verdict(out.lo, out.hi);
    return out;
  }

  const MetricInfo& info_;
  const GroupBootstrap* bootstrap_;
  SummaryTable out_;
  std::vector<DomainKey> domains_;
  std::map<std::pair<std::string, DomainKey>, BySeed> values_;
};

}  // namespace

SummaryTable summarise(const ResultTable& table, const std::optional<GroupResults>& groups,
                       const std::string& group_word, int64_t draws, RandomStream stream) {
  if (!groups || groups->rows.empty()) return Summariser(table, nullptr).run(group_word);
  check(groups->metric == table.metric, "eval/groups.json", "metric differs from the table's: got ",
        groups->metric, ", expected ", table.metric);
  const GroupBootstrap bootstrap(*groups, draws, stream);
  const bool enough = bootstrap.fewest_groups() >= kGroupsForBootstrap;
  return Summariser(table, enough ? &bootstrap : nullptr).run(group_word);
}

}  // namespace switchyard
