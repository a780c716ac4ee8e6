#include "eval/analysis/coactivation.h"
#include "eval/analysis/expert_match.h"
#include "eval/analysis/labels.h"
#include "eval/analysis/margins.h"
#include "eval/analysis/stability.h"
#include "tests/eval/analysis/golden_support.h"

namespace switchyard::test {

Json coactivation_kind(const Json& golden, const TraceView& trace) {
  const auto r = coactivation(trace, golden["config"]["min_pairs"]);
  Json out{{"pair_count", r.pair_count},
           {"lift", r.lift},
           {"partner_bits", r.partner_bits},
           {"partner_bits_mean", r.partner_bits_mean},
           {"partner_relative", r.partner_relative}};
  for (size_t l = 0; l < r.order.size(); ++l) {
    Json merges = Json::array();
    for (const auto& m : r.linkage[l]) merges.push_back({m.a, m.b, m.height, m.size});
    out["linkage"].push_back(r.order[l].empty() ? Json() : merges);
    out["order"].push_back(r.order[l].empty() ? Json() : Json(r.order[l]));
  }
  return out;
}

Json labels_kind(const Json&, const TraceView& trace) {
  const auto r = label_table(trace, count_sequences(trace));
  return {{"tokens", r.tokens.front()},
          {"count", r.count},
          {"share", r.share},
          {"by_domain", r.by_domain},
          {"row_order", r.row_order}};
}

Json margins_kind(const Json& golden, const TraceView& trace) {
  const auto r = margins(trace, golden["config"]["bins"]);
  return {{"margin", r.margin},
          {"kth_gap", r.kth_gap},
          {"margin_median", r.margin_median},
          {"kth_gap_median", r.kth_gap_median},
          {"kth_gap_tokens", r.kth_gap_tokens},
          {"drop", r.drop},
          {"mean_k", r.mean_k},
          {"k10", r.k10},
          {"k90", r.k90},
          {"mean_k_kept", r.mean_k_kept},
          {"k_hist", r.k_hist},
          {"fixed_k", r.fixed_k},
          {"drop_count_expert", r.drop_count_expert}};
}

Json stability_kind(const Json& golden, const TraceView&) {
  const auto sets = golden["inputs"]["sets"].get<std::vector<std::vector<ExpertSets>>>();
  const auto r = stability(sets, Indices(sets.front().size(), golden["config"]["experts"]));
  return {{"agree", r.agree},
          {"agree_previous", r.agree_previous},
          {"jaccard", r.jaccard},
          {"chance", r.chance}};
}

Json ab_match_kind(const Json& golden, const TraceView&) {
  const auto r =
      match_experts(golden["inputs"]["profile_a"].get<Table>(),
                    golden["inputs"]["profile_b"].get<Table>(), golden["config"]["min_overlap"]);
  Json out{{"overlap", r.overlap}, {"match", Json::array()}, {"total", r.total}};
  for (int64_t b : r.match) out["match"].push_back(b < 0 ? Json() : Json(b));
  return out;
}

}  // namespace switchyard::test
