#include "eval/analysis/probe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/error.h"
#include "eval/analysis/decision_tree.h"
#include "eval/analysis/softmax_regression.h"

namespace switchyard {
namespace {

constexpr size_t kNamedChannels = 12;
constexpr char kWhere[] = "probe";

int64_t count_domains(const ProbeInput& input) {
  int64_t domains = 0;
  for (int64_t d : input.domain) {
    check(d >= 0, kWhere, "negative domain: got ", d);
    domains = std::max(domains, d + 1);
  }
  return domains;
}

void check_input(const ProbeInput& input) {
  const auto rows = input.domain.size();
  check(input.group.size() == rows && input.x.size() == rows * input.channels.size(), kWhere,
        "sizes do not fit: got ", input.x.size(), " values, ", rows, " domains and ",
        input.group.size(), " groups for ", input.channels.size(), " channels");
  check(!input.channels.empty(), kWhere, "no channel");
  for (float x : input.x) check(std::isfinite(x), kWhere, "input holds a value that is not finite");
}

// At most `limit` rows of each domain, chosen at random.
Indices choose_rows(const ProbeInput& input, int64_t domains, int64_t limit, RandomStream stream) {
  IndexTable by_domain(domains);
  for (int64_t i = 0; i < input.rows(); ++i) by_domain[input.domain[i]].push_back(i);
  Indices out;
  for (const auto& rows : by_domain) {
    const auto order = stream.permutation(static_cast<int64_t>(rows.size()));
    for (int64_t i = 0; i < std::min<int64_t>(limit, rows.size()); ++i)
      out.push_back(rows[order[i]]);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Groups by the first domain that has them, so that whole groups go to one side.
std::map<int64_t, Indices> groups_by_domain(const ProbeInput& input) {
  std::map<int64_t, int64_t> first;
  for (int64_t i = 0; i < input.rows(); ++i) {
    auto [found, fresh] = first.emplace(input.group[i], input.domain[i]);
    if (!fresh) found->second = std::min(found->second, input.domain[i]);
  }
  std::map<int64_t, Indices> out;
  for (const auto& [group, domain] : first) out[domain].push_back(group);
  return out;
}

struct Split {
  ProbeRows train, test;
  Indices test_group;                      // [rows of test]
  std::map<int64_t, Indices> test_strata;  // test groups by first domain
};

void append_row(ProbeRows& out, const ProbeInput& input, int64_t row) {
  const auto channels = static_cast<int64_t>(input.channels.size());
  out.x.insert(out.x.end(), input.x.begin() + row * channels,
               input.x.begin() + (row + 1) * channels);
  out.label.push_back(input.domain[row]);
}

void check_side(const ProbeRows& rows, const char* side) {
  Indices count(rows.labels);
  for (int64_t d : rows.label) ++count[d];
  for (int64_t d = 0; d < rows.labels; ++d)
    check(count[d] > 0, kWhere, "domain ", d, " has no group to ", side,
          " on: expected at least two groups in each domain");
}

Split split_by_group(const ProbeInput& input, int64_t domains, const ProbeOptions& options,
                     RandomStream stream) {
  Split out;
  std::set<int64_t> test_groups;
  for (const auto& [domain, groups] : groups_by_domain(input)) {
    const auto order = stream.permutation(static_cast<int64_t>(groups.size()));
    const auto held = static_cast<int64_t>(std::round(options.test_share * groups.size()));
    for (int64_t i = 0; i < held; ++i) {
      test_groups.insert(groups[order[i]]);
      out.test_strata[domain].push_back(groups[order[i]]);
    }
  }
  out.train.channels = out.test.channels = static_cast<int64_t>(input.channels.size());
  out.train.labels = out.test.labels = domains;
  const auto rows = choose_rows(input, domains, options.max_rows_per_domain, stream.child("rows"));
  for (int64_t row : rows) {
    const bool test = test_groups.count(input.group[row]) > 0;
    append_row(test ? out.test : out.train, input, row);
    if (test) out.test_group.push_back(input.group[row]);
  }
  check_side(out.train, "train");
  check_side(out.test, "test");
  return out;
}

// Hits and rows per domain of every test group.
struct Tally {
  Row hits, rows;
};

double mean_accuracy(const Tally& tally) {
  Row accuracy;
  for (size_t d = 0; d < tally.rows.size(); ++d)
    if (tally.rows[d] > 0) accuracy.push_back(tally.hits[d] / tally.rows[d]);
  return mean(accuracy);
}

void add(Tally& sum, const Tally& part) {
  sum.hits.resize(part.hits.size());
  sum.rows.resize(part.rows.size());
  for (size_t d = 0; d < part.hits.size(); ++d) {
    sum.hits[d] += part.hits[d];
    sum.rows[d] += part.rows[d];
  }
}

ProbeResult score(const Split& split, const Indices& guess, const std::string& probe, int64_t draws,
                  RandomStream stream) {
  const auto domains = static_cast<size_t>(split.test.labels);
  std::map<int64_t, Tally> groups;
  for (size_t i = 0; i < guess.size(); ++i) {
    Tally& tally =
        groups.try_emplace(split.test_group[i], Tally{Row(domains), Row(domains)}).first->second;
    const int64_t domain = split.test.label[i];
    tally.rows[domain] += 1;
    tally.hits[domain] += guess[i] == domain;
  }
  Tally all;
  for (const auto& [unused, tally] : groups) add(all, tally);
  Row replicates;
  for (int64_t r = 0; r < draws; ++r) {
    Tally sum;
    for (const auto& [unused, names] : split.test_strata)
      for (size_t i = 0; i < names.size(); ++i) {
        const auto drawn = groups.find(names[stream.below(static_cast<int64_t>(names.size()))]);
        if (drawn != groups.end()) add(sum, drawn->second);
      }
    replicates.push_back(mean_accuracy(sum));
  }
  return {"",
          probe,
          mean_accuracy(all),
          1.0 / domains,
          percentile(replicates, 2.5),
          percentile(replicates, 97.5),
          static_cast<int64_t>(groups.size())};
}

}  // namespace

std::vector<ProbeResult> probe_domains(const ProbeInput& input, const ProbeOptions& options,
                                       RandomStream stream) {
  check_input(input);
  const int64_t domains = count_domains(input);
  check(domains >= 2, kWhere, "nothing to tell apart: got ", domains,
        " domains, expected at least 2");
  const Split split = split_by_group(input, domains, options, stream.child("split"));
  const Indices linear = SoftmaxRegression(split.train, options.iterations).predict(split.test);
  const Indices tree = DecisionTree(split.train, options.depth).predict(split.test);
  std::vector<ProbeResult> out{
      score(split, linear, "softmax", options.draws, stream.child("bootstrap")),
      score(split, tree, "tree", options.draws, stream.child("bootstrap"))};
  for (auto& result : out)
    result.channels = input.channels.size() <= kNamedChannels
                          ? join(input.channels, "+")
                          : cat("all ", input.channels.size(), " channels");
  return out;
}

}  // namespace switchyard
