#include "eval/analysis/passes.h"

#include "tests/test.h"

using namespace switchyard;

namespace {

/// Two pictures at noise levels 1, 0.5 and 0, with and without condition, one token each.
TraceView small_trace() {
  TraceView out;
  out.domains = {{"a", true}, {kNoCondition, false}};
  TraceLevel level;
  TraceSite site;
  site.experts = 3;
  level.seq_offset = site.token_offset = {0};
  for (int picture = 0; picture < 2; ++picture)
    for (const char* time : {"0", "0.5", "1"})
      for (int null = 0; null < 2; ++null) {
        out.uris.push_back(cat(picture, "@t=", time, null ? "#null" : ""));
        out.time.push_back(std::stod(time));
        out.domain.push_back(null);
        out.group.push_back(-1);
        site.slot.push_back(static_cast<int16_t>(null ? 2 : out.time.back() < 0.25));
        site.weight.push_back(1);
        level.seq_offset.push_back(static_cast<int64_t>(out.uris.size()));
        site.token_offset.push_back(level.seq_offset.back());
      }
  out.levels = {level};
  out.sites = {site};
  return out;
}

}  // namespace

TEST_CASE("passes are told apart by picture, level and condition", "[analysis]") {
  const TraceView trace = small_trace();
  CHECK(item_of("a@b.png@t=0.125") == "a@b.png");
  CHECK(item_of("a.png") == "a.png");
  const NoiseLevels levels = noise_levels(trace);
  CHECK(levels.time == Row{1, 0.5, 0});
  CHECK(levels.level_of == Indices{2, 2, 1, 1, 0, 0, 2, 2, 1, 1, 0, 0});
  const PassKinds kinds = pass_kinds(trace);
  CHECK(kinds.with == Indices{0, 2, 4, 6, 8, 10});
  const auto counts = count_sequences(trace);
  CHECK(share_by_level(counts[0], levels, kinds.with) == Table{{1, 0, 0}, {1, 0, 0}, {0, 1, 0}});
  const auto ends = end_pairs(trace, levels, kinds.with);
  REQUIRE(ends.size() == 2);
  CHECK((ends[1].first == 10 && ends[1].second == 6 && ends[1].unit != ends[0].unit));
  const auto split = condition_pairs(trace, levels);
  REQUIRE(split.size() == 6);
  CHECK((split[5].first == 10 && split[5].second == 11));
  CHECK(split[0].unit == split[2].unit);
}

TEST_CASE("passes differ by chance only as much as their swaps", "[analysis]") {
  TraceView trace = small_trace();
  const auto counts = count_sequences(trace);
  const auto shares = [&](const auto& pairs) {
    return paired_shares(counts[0], pairs, 200, RandomStream(1, "swap"));
  };
  // Two pictures: half of all swaps leave the sides as they are or exchange them whole.
  const PairedShares few = shares(condition_pairs(trace, noise_levels(trace)));
  CHECK(few.js == Approx(1));
  CHECK(few.null95 == Approx(1));
  CHECK(few.p > 0.3);
  CHECK(few.second == Row{0, 0, 1});
  std::vector<PassPair> many;
  for (int64_t unit = 0; unit < 12; ++unit) many.push_back({0, 1, unit});
  CHECK(shares(many).null95 < 0.9);
  CHECK(shares(many).p < 0.05);
  CHECK_FALSE(defined(shares(std::vector<PassPair>()).js));
}
