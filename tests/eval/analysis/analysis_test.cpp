#include "tests/test.h"

#include <chrono>

#include "eval/analysis/answer_facts.h"
#include "eval/analysis/entropy.h"
#include "eval/analysis/information.h"
#include "eval/analysis/matching.h"
#include "eval/analysis/tracks.h"
#include "tests/eval/analysis/made_trace.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

NullPlan plan_for(const TraceView& trace) {
  return plan_nulls(trace, 100, RandomStream(3, "null"));
}

}  // namespace

TEST_CASE("shared groups: domain labels move within a group only", "[analysis]") {
  const TraceView trace = made_trace({});
  const NullPlan plan = plan_for(trace);
  CHECK(plan.kind == "paired-groups");
  REQUIRE(plan.permutations.size() == 100);
  bool inside = true, moved = false;
  for (const auto& order : plan.permutations)
    for (size_t s = 0; s < order.size(); ++s) {
      inside = inside && trace.group[s] == trace.group[order[s]];
      moved = moved || order[s] != static_cast<int64_t>(s);
    }
  CHECK(inside);
  CHECK(moved);
}

TEST_CASE("own groups: labels move between sequences; one group each: confounded", "[analysis]") {
  CHECK(plan_for(made_trace({.shared_groups = false})).kind == "sequences");
  const TraceView trace = made_trace({.groups = 1, .shared_groups = false});
  const NullPlan plan = plan_for(trace);
  CHECK(plan.status == "confounded with scene");
  CHECK(plan.permutations.empty());
  const auto nmi = nmi_domain(trace, count_sequences(trace), plan);
  CHECK(nmi.nmi[0] > 0.1);
  CHECK_FALSE(defined(nmi.p[0]));
  CHECK_FALSE(defined(nmi.null95[0]));
}

TEST_CASE("resamples stay inside domains and halves split each domain", "[analysis]") {
  const TraceView trace = made_trace({});
  const NullPlan plan = plan_for(trace);
  for (const auto& list : plan.resamples) {
    Indices count(trace.domains.size());
    for (int64_t s : list) ++count[trace.domain[s]];
    CHECK(count == trace.sequences_by_domain());
  }
  for (const auto& half : plan.splits) {
    Indices count(trace.domains.size());
    for (size_t s = 0; s < half.size(); ++s) count[trace.domain[s]] += half[s];
    CHECK(count == Indices{2, 2, 2});
  }
}

TEST_CASE("a planted domain signal is found where it is and nowhere else", "[analysis]") {
  const TraceView trace = made_trace({.groups = 8});
  const auto counts = count_sequences(trace);
  const auto nmi = nmi_domain(trace, counts, plan_for(trace));
  CHECK(nmi.nmi[0] > nmi.null95[0]);
  CHECK(nmi.p[0] == Approx(1.0 / 101));
  CHECK(nmi.nmi[1] < 0.02);
  CHECK(nmi.p[1] > 0.02);
  CHECK(nmi.lo[0] <= nmi.hi[0]);
  CHECK(nmi.given_class[0] > nmi.given_class_null95[0]);
  const auto by_class = nmi_class(trace, counts, plan_for(trace));
  CHECK(by_class.nmi[0] < 0.02);
  const auto plan = plan_for(trace);
  const auto js = js_divergence(trace, counts, plan.resamples, plan.splits);
  const auto facts = answer_facts(load_share(trace), nmi.nmi, js);
  CHECK(facts.reference_layer == 0);
  CHECK(facts.experts[2].at(0) == 2);
  CHECK(facts.groups == Indices{0, 1, 2});
  CHECK(facts.weak_layers == Indices{1});
}

TEST_CASE("results do not depend on how often they are computed", "[analysis]") {
  const TraceView trace = made_trace({});
  const auto counts = count_sequences(trace);
  CHECK(nmi_class(trace, counts, plan_for(trace)).null ==
        nmi_class(trace, counts, plan_for(trace)).null);
}

TEST_CASE("a trace without labels or scores gives undefined values", "[analysis]") {
  TraceView trace = made_trace({});
  trace.levels[0].label.clear();
  const auto counts = count_sequences(trace);
  const NullPlan plan = plan_for(trace);
  CHECK_FALSE(defined(nmi_class(trace, counts, plan).nmi[0]));
  CHECK_FALSE(defined(nmi_domain(trace, counts, plan).given_class[0]));
  CHECK_FALSE(defined(router_entropy(trace, load_share(trace)).token_bits[0]));
}

TEST_CASE("flow between levels is counted on finest tokens", "[analysis]") {
  TraceView trace = made_trace({.domains = 1, .groups = 1, .tokens = 4, .sites = 2, .experts = 2});
  TraceLevel coarse;
  coarse.seq_offset = {0, 2};
  coarse.member_of = {0, 0, 0, 1};
  trace.levels.push_back(coarse);
  trace.sites[0].slot = {0, 1, 0, 1, 1, 0, 1, 0};
  trace.sites[1].level = 1;
  trace.sites[1].token_offset = {0, 1, 2};
  trace.sites[1].slot = {1, 0};
  trace.sites[1].weight = {1, 1};
  check_trace(trace, "test");
  CHECK(first_choice_flow(trace, 0, 1) == IndexTable{{0, 2}, {1, 1}});
  const auto tracks = expert_tracks(trace, {});
  CHECK(tracks.status == "ok");
  CHECK(tracks.tracks == IndexTable{{1, 0}, {0, 1}});
  CHECK(tracks.kept[0] == 0.75);
  trace.levels[1].member_of.clear();
  CHECK(expert_tracks(trace, {}).status == "partial");
  CHECK_FALSE(defined(expert_tracks(trace, {}).kept[0]));
}

TEST_CASE("matching finds the best of all assignments", "[analysis]") {
  RandomStream stream(5, "matching");
  for (int round = 0; round < 50; ++round) {
    const int64_t rows = 1 + stream.below(5), columns = rows + stream.below(2);
    IndexTable profit(rows, Indices(columns));
    for (auto& row : profit)
      for (auto& x : row) x = stream.below(20);
    Indices order = all_indices(columns);
    int64_t best = 0;
    do {
      int64_t total = 0;
      for (int64_t i = 0; i < rows; ++i) total += profit[i][order[i]];
      best = std::max(best, total);
    } while (std::next_permutation(order.begin(), order.end()));
    const auto match = maximum_matching(profit);
    int64_t total = 0;
    for (int64_t i = 0; i < rows; ++i) total += profit[i][match[i]];
    CHECK(total == best);
  }
  CHECK(maximum_matching({}).empty());
  CHECK(maximum_matching({{1}, {3}, {2}}) == Indices{-1, 0, -1});
}

TEST_CASE("all nulls of a large trace take seconds", "[.][speed]") {
  const TraceView trace = made_trace(
      {.domains = 5, .groups = 20, .tokens = 7000, .sites = 5, .experts = 8, .classes = 20});
  const NullPlan plan = plan_nulls(trace, 200, RandomStream(1, "speed"));
  const auto counts = count_sequences(trace);
  const auto seconds = [](const char* what, const std::function<double()>& run) {
    const auto start = std::chrono::steady_clock::now();
    CHECK(defined(run()));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    WARN(what << ": " << took.count() << " s");
  };
  seconds("domain", [&] { return nmi_domain(trace, counts, plan).p[0]; });
  seconds("class", [&] { return nmi_class(trace, counts, plan).p[0]; });
  seconds("js",
          [&] { return js_divergence(trace, counts, plan.resamples, plan.splits).js[0][0][1]; });
  seconds("tracks", [&] { return expert_tracks(trace, plan.shuffles).kept[0]; });
}
