#include "eval/analysis/passes.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "eval/analysis/nulls.h"

namespace switchyard {
namespace {

constexpr double kLevelsPerUnit = 50;

bool conditional(const TraceView& trace, int64_t s) {
  return trace.domains[static_cast<size_t>(trace.domain[static_cast<size_t>(s)])].name !=
         kNoCondition;
}

/// Groups, then pictures without one.
class Units {
 public:
  explicit Units(const TraceView& trace) : trace_(trace) {}
  int64_t of(int64_t s) {
    const int64_t group = trace_.group[static_cast<size_t>(s)];
    if (group >= 0) return group;
    const auto next = static_cast<int64_t>(trace_.groups.size() + alone_.size());
    return alone_.emplace(item_of(trace_.uris[static_cast<size_t>(s)]), next).first->second;
  }

 private:
  const TraceView& trace_;
  std::map<std::string, int64_t> alone_;
};

void add_counts(Row& row, const SequenceCounts& counts, int64_t s) {
  const int64_t* count = counts.of(s);
  for (double& x : row) x += static_cast<double>(*count++);
}

Row shares(Row counts) {
  double sum = 0;
  for (double x : counts) sum += x;
  for (double& x : counts) x = sum > 0 ? x / sum : kUndefined;
  return counts;
}

/// [2][E] counts of the first and the second passes; `swapped` [units].
Table sides(const SequenceCounts& counts, const std::vector<PassPair>& pairs,
            const Indices& swapped) {
  Table out(2, Row(static_cast<size_t>(counts.experts)));
  for (const PassPair& pair : pairs) {
    const bool swap = !swapped.empty() && swapped[static_cast<size_t>(pair.unit)] != 0;
    add_counts(out[swap], counts, pair.first);
    add_counts(out[!swap], counts, pair.second);
  }
  return out;
}

}  // namespace

std::string item_of(const std::string& uri) { return uri.substr(0, uri.rfind("@t=")); }

NoiseLevels noise_levels(const TraceView& trace) {
  std::map<int64_t, Row, std::greater<>> times;
  const auto key = [](double time) { return std::lround(time * kLevelsPerUnit); };
  for (double time : trace.time) times[key(time)].push_back(time);
  NoiseLevels out;
  std::map<int64_t, int64_t> number;
  for (const auto& [at, values] : times) {
    number[at] = static_cast<int64_t>(out.time.size());
    out.time.push_back(mean(values));
  }
  for (double time : trace.time) out.level_of.push_back(number[key(time)]);
  return out;
}

PassKinds pass_kinds(const TraceView& trace) {
  PassKinds out;
  for (int64_t s = 0; s < trace.sequences(); ++s)
    (conditional(trace, s) ? out.with : out.without).push_back(s);
  return out;
}

Table share_by_level(const SequenceCounts& counts, const NoiseLevels& levels,
                     const Indices& passes) {
  Table out(levels.time.size(), Row(static_cast<size_t>(counts.experts)));
  for (int64_t s : passes)
    add_counts(out[static_cast<size_t>(levels.level_of[static_cast<size_t>(s)])], counts, s);
  for (Row& row : out) row = shares(std::move(row));
  return out;
}

std::vector<PassPair> end_pairs(const TraceView& trace, const NoiseLevels& levels,
                                const Indices& passes) {
  std::map<std::pair<std::string, int64_t>, PassPair> by_picture;
  Units units(trace);
  const auto level = [&](int64_t s) { return levels.level_of[static_cast<size_t>(s)]; };
  for (int64_t s : passes) {
    const auto i = static_cast<size_t>(s);
    PassPair& pair =
        by_picture.try_emplace({item_of(trace.uris[i]), trace.domain[i]}, s, s, units.of(s))
            .first->second;
    if (level(s) < level(pair.first)) pair.first = s;
    if (level(s) > level(pair.second)) pair.second = s;
  }
  std::vector<PassPair> out;
  for (const auto& [unused, pair] : by_picture)
    if (level(pair.first) == 0 && level(pair.second) + 1 == int64_t(levels.time.size()) &&
        pair.first != pair.second)
      out.push_back(pair);
  return out;
}

std::vector<PassPair> condition_pairs(const TraceView& trace, const NoiseLevels& levels) {
  std::map<std::pair<std::string, int64_t>, int64_t> with;
  const auto key = [&](int64_t s) {
    return std::pair(item_of(trace.uris[static_cast<size_t>(s)]),
                     levels.level_of[static_cast<size_t>(s)]);
  };
  const PassKinds kinds = pass_kinds(trace);
  for (int64_t s : kinds.with) with.emplace(key(s), s);
  Units units(trace);
  std::vector<PassPair> out;
  for (int64_t s : kinds.without)
    if (const auto found = with.find(key(s)); found != with.end())
      out.push_back({found->second, s, units.of(s)});
  return out;
}

PairedShares paired_shares(const SequenceCounts& counts, const std::vector<PassPair>& pairs,
                           int64_t draws, RandomStream stream) {
  PairedShares out;
  if (pairs.empty()) return out;
  const Table found = sides(counts, pairs, {});
  out.first = shares(found[0]), out.second = shares(found[1]);
  out.js = js_bits(found[0], found[1]);
  int64_t units = 0;
  for (const PassPair& pair : pairs) units = std::max(units, pair.unit + 1);
  Row null;
  for (int64_t r = 0; r < draws; ++r) {
    Indices swapped(static_cast<size_t>(units));
    for (int64_t& unit : swapped) unit = stream.below(2);
    const Table moved = sides(counts, pairs, swapped);
    null.push_back(js_bits(moved[0], moved[1]));
  }
  out.null95 = percentile(null, 95);
  out.p = permutation_p(out.js, null);
  return out;
}

}  // namespace switchyard
