#include "eval/analysis/trace_view.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace switchyard {
namespace {

template <class T>
void check_range(const std::vector<T>& values, int64_t low, int64_t high, const std::string& where,
                 const std::string& name) {
  for (T x : values)
    check(x >= low && x < high, where, name, " is out of range: got ", int64_t{x}, ", expected ",
          low, " to ", high - 1);
}

void check_size(size_t got, int64_t expected, const std::string& where, const std::string& name) {
  check(static_cast<int64_t>(got) == expected, where, name, " has the wrong length: got ", got,
        ", expected ", expected);
}

void check_offsets(const std::vector<int64_t>& offset, int64_t last, const std::string& where,
                   const std::string& name) {
  check(!offset.empty() && offset.front() == 0 && offset.back() == last &&
            std::is_sorted(offset.begin(), offset.end()),
        where, name, " is no offset list: expected values that rise from 0 to ", last);
}

void check_finite(const std::vector<double>& values, const std::string& where,
                  const std::string& name) {
  for (double x : values)
    check(std::isfinite(x) && x >= 0, where, name, " holds a bad value: got ", x,
          ", expected finite numbers >= 0");
}

void check_level(const TraceView& trace, size_t j, const std::string& where) {
  const TraceLevel& level = trace.levels[j];
  const std::string name = cat("level", j);
  check_size(level.seq_offset.size(), trace.sequences() + 1, where, name + ".seq_offset");
  check_offsets(level.seq_offset, level.seq_offset.back(), where, name + ".seq_offset");
  if (!level.label.empty()) {
    check_size(level.label.size(), level.tokens(), where, name + ".label");
    check_range(level.label, -1, static_cast<int64_t>(trace.classes.size()), where,
                name + ".label");
  }
  if (!level.member_of.empty()) {
    check_size(level.member_of.size(), trace.levels[0].tokens(), where, name + ".member_of");
    check_range(level.member_of, 0, level.tokens(), where, name + ".member_of");
  }
  check_size(level.coords.size(), level.coord_dims * (level.coords.empty() ? 0 : level.tokens()),
             where, name + ".coords");
}

void check_site(const TraceView& trace, size_t i, const std::string& where) {
  const TraceSite& site = trace.sites[i];
  const std::string name = cat("site", i);
  check(site.level >= 0 && site.level < static_cast<int64_t>(trace.levels.size()), where, name,
        " names a level that is not there: got ", site.level, ", expected 0 to ",
        trace.levels.size() - 1);
  check(site.experts >= 1 && site.experts <= 32767 && site.nulls >= 0, where, name,
        " has a bad number of slots: got ", site.experts, " experts and ", site.nulls,
        " null slots");
  check_size(site.token_offset.size(), trace.level_of(site).tokens() + 1, where,
             name + ".token_offset");
  const auto entries = static_cast<int64_t>(site.slot.size());
  check_offsets(site.token_offset, entries, where, name + ".token_offset");
  check_range(site.slot, 0, 32768, where, name + ".slot");
  for (int64_t t = 0; t < site.tokens(); ++t)
    check(site.token_offset[t + 1] - site.token_offset[t] <= 65535, where, name,
          ".token_offset gives a token more than 65535 slots");
  check_size(site.weight.size(), entries, where, name + ".weight");
  for (double x : site.weight)
    check(std::isfinite(x), where, name, ".weight holds a value that is not finite");
  if (!site.kept.empty()) check_size(site.kept.size(), entries, where, name + ".kept");
  check_size(site.scores.size(), site.tokens() * site.columns, where, name + ".scores");
  check_finite(site.scores, where, name + ".scores");
}

}  // namespace

int64_t TraceSite::first_choice(int64_t t) const {
  int64_t best = -1;
  double best_weight = 0;
  for (int64_t a = token_offset[t]; a < token_offset[t + 1]; ++a) {
    const int64_t e = slot[a];
    if (e >= experts) continue;
    if (best < 0 || weight[a] > best_weight || (weight[a] == best_weight && e < best)) {
      best = e;
      best_weight = weight[a];
    }
  }
  return best;
}

std::vector<int64_t> TraceView::tokens_by_domain() const {
  std::vector<int64_t> out(domains.size());
  const auto& offset = levels[0].seq_offset;
  for (int64_t s = 0; s < sequences(); ++s) out[domain[s]] += offset[s + 1] - offset[s];
  return out;
}

std::vector<int64_t> TraceView::sequences_by_domain() const {
  std::vector<int64_t> out(domains.size());
  for (int64_t d : domain) ++out[d];
  return out;
}

void check_trace(const TraceView& trace, const std::string& where) {
  check(!trace.levels.empty(), where, "the trace has no level");
  check(!trace.sites.empty(), where, "the trace has no MoE site");
  check_range(trace.domain, 0, static_cast<int64_t>(trace.domains.size()), where, "seq.domain");
  check_size(trace.group.size(), trace.sequences(), where, "seq.group");
  if (!trace.time.empty()) check_size(trace.time.size(), trace.sequences(), where, "seq.time");
  check_range(trace.group, -1, static_cast<int64_t>(trace.groups.size()), where, "seq.group");
  check_size(trace.uris.size(), trace.sequences(), where, "uris");
  for (const auto& level : trace.levels)
    check(!level.seq_offset.empty(), where, "a level has no seq_offset");
  for (size_t j = 0; j < trace.levels.size(); ++j) check_level(trace, j, where);
  for (size_t i = 0; i < trace.sites.size(); ++i) check_site(trace, i, where);
}

}  // namespace switchyard
