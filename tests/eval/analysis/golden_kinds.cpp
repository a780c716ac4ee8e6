#include <cmath>

#include "eval/analysis/answer_facts.h"
#include "eval/analysis/clustering.h"
#include "eval/analysis/entropy.h"
#include "eval/analysis/information.h"
#include "eval/analysis/tracks.h"
#include "tests/eval/analysis/golden_support.h"

namespace switchyard::test {
namespace {

IndexTable table_of(const Json& golden, const char* name) { return golden["inputs"][name]; }

NullPlan plan_of(const Json& golden) {
  NullPlan plan;
  plan.permutations = plan.shuffles = table_of(golden, "permutations");
  if (golden["inputs"].contains("resamples")) plan.resamples = table_of(golden, "resamples");
  return plan;
}

Json load_share_kind(const Json& golden, const TraceView& trace) {
  const auto r = load_share(trace, golden["config"]["dead_below"], golden["config"]["hot_above"]);
  Json out{{"count", r.count},
           {"share", r.share},
           {"token_share", r.token_share},
           {"uniform", r.uniform},
           {"mean_share", r.mean_share},
           {"pooled_share", r.pooled_share},
           {"null_share", r.null_share},
           {"weight_share", r.weight_share}};
  for (const bool pooled : {false, true}) {
    const std::string end = pooled ? "_pooled" : "";
    for (const auto& b : pooled ? r.balance_pooled : r.balance) {
      out["cv" + end].push_back(b.cv);
      out["cv2" + end].push_back(b.cv * b.cv);
      out["max_violation" + end].push_back(b.max_violation);
      out["dead" + end].push_back(b.dead);
      out["hot" + end].push_back(b.hot);
    }
  }
  const auto& shared = golden["expected"]["shared_count"];
  for (size_t l = 0; l < r.shared_count.size(); ++l) {
    Indices count = r.shared_count[l];  // the number of shared slots is not in our traces
    count.resize(std::max(count.size(), shared[l].size()));
    out["shared_count"].push_back(count);
  }
  return out;
}

Json entropy_kind(const Json&, const TraceView& trace) {
  const auto r = router_entropy(trace, load_share(trace));
  return {{"token_bits_domain", r.token_bits_domain},
          {"token_bits", r.token_bits},
          {"token_bits_pooled", r.token_bits_pooled},
          {"mean_softmax_bits", r.mean_softmax_bits},
          {"mean_softmax_bits_pooled", r.mean_softmax_bits_pooled},
          {"mutual_information", r.mutual_information},
          {"mutual_information_pooled", r.mutual_information_pooled},
          {"assignment_bits", r.assignment_bits},
          {"log2_experts", r.log2_experts},
          {"log2_columns", r.log2_columns}};
}

Json nmi_kind(const Json& golden, const TraceView& trace) {
  const bool equal = golden["config"]["weighting"] == "domains";
  const auto counts = count_sequences(trace);
  const auto d = nmi_domain(trace, counts, plan_of(golden),
                            equal ? DomainWeight::Equal : DomainWeight::Assignments);
  const auto c = nmi_class(trace, counts, plan_of(golden));
  Json out{{"nmi_domain", d.nmi},
           {"null_domain", d.null},
           {"null95_domain", d.null95},
           {"boot_domain", d.boot},
           {"lo_domain", d.lo},
           {"hi_domain", d.hi},
           {"nmi_class", c.nmi},
           {"null_class", c.null},
           {"null95_class", c.null95},
           {"lo_class", c.lo},
           {"hi_class", c.hi},
           {"mi_domain_given_class_bits", d.given_class_bits},
           {"given_class", d.given_class}};
  for (size_t l = 0; l < d.nmi.size(); ++l) {
    out["mi_domain_bits"].push_back(d.information[l].bits);
    out["h_domain_bits"].push_back(d.information[l].h_label);
    out["h_expert_bits"].push_back(d.information[l].h_expert);
    out["mi_class_bits"].push_back(c.information[l].bits);
  }
  return out;
}

Json or_null(int64_t index) { return index < 0 ? Json() : Json(index); }

Json js_kind(const Json& golden, const TraceView& trace) {
  const auto r = js_divergence(trace, count_sequences(trace), table_of(golden, "resamples"),
                               table_of(golden, "splits"), golden["config"]["min_sequences"]);
  Json out{{"js", r.js},
           {"lo", r.lo},
           {"hi", r.hi},
           {"js_debiased", r.js_debiased},
           {"split_half95", r.split_half95},
           {"split_half_mean", r.split_half_mean},
           {"sequences", r.sequences}};
  for (size_t l = 0; l < r.js.size(); ++l) {
    for (size_t a = 0; a < r.js[l].size(); ++a) {
      out["nearest_seen"][l].push_back(or_null(r.nearest_seen[l][a]));
      for (const auto& within : r.within_null[l][a])
        out["within_null"][l][a].push_back(within ? Json(*within) : Json());
    }
  }
  return out;
}

// Every pair that all optima contain must lie on one track; checked here, returned as expected.
Json forced_pairs(const Json& golden, const ExpertTracks& tracks, const TraceView& trace) {
  Json out = golden["expected"]["forced_pairs"];
  for (size_t l = 0; l < out.size(); ++l) {
    const auto here = tracks.track_of(l, trace.sites[l].experts);
    const auto deeper = tracks.track_of(l + 1, trace.sites[l + 1].experts);
    for (auto& pair : out[l])
      if (here[pair[0]] != deeper[pair[1]]) pair = "on two tracks";
  }
  return out;
}

Json tracks_kind(const Json& golden, const TraceView& trace) {
  const auto r = expert_tracks(trace, table_of(golden, "permutations"));
  Json out{{"kept", r.kept},
           {"null_kept", r.null_kept},
           {"null95", r.null95},
           {"flow_count", r.flow_count},
           {"order_arbitrary", Json::array()},
           {"forced_pairs", forced_pairs(golden, r, trace)},
           {"tracks", nullptr}};
  for (const auto& x : r.order_arbitrary) out["order_arbitrary"].push_back(x ? Json(*x) : Json());
  if (!golden["expected"]["tracks"].is_null()) {
    out["tracks"] = Json::array();
    for (const auto& row : r.tracks) {
      out["tracks"].push_back(Json::array());
      for (int64_t e : row) out["tracks"].back().push_back(or_null(e));
    }
  }
  return out;
}

Json flow_kind(const Json& golden, const TraceView& trace) {
  const Json& config = golden["config"];
  const auto r = flow_figure(trace, config["columns"], config["threshold"], config["max_links"]);
  Json out{{"columns", r.columns},
           {"node", r.node},
           {"link", r.link},
           {"link_shown", r.link_shown},
           {"shown", r.shown}};
  for (size_t c = 0; c < r.shown.size(); ++c)  // no flow at all: the golden has one null
    if (!defined(r.shown[c])) out["link"][c] = nullptr;
  return out;
}

Json paired_permutation_kind(const Json& golden, const TraceView& trace) {
  const auto r = paired_divergence(trace, count_sequences(trace), table_of(golden, "permutations"));
  return {{"js", r.js},
          {"null95", r.null95},
          {"p_value", r.p},
          {"nmi", r.nmi},
          {"nmi_null95", r.nmi_null95},
          {"nmi_p_value", r.nmi_p},
          {"room_js_mean", r.group_mean}};
}

Json answer_facts_kind(const Json& golden, const TraceView& trace) {
  const Json& config = golden["config"];
  const auto counts = count_sequences(trace);
  const auto js =
      js_divergence(trace, counts, {}, table_of(golden, "splits"), config["min_sequences"]);
  const auto nmi = nmi_domain(trace, counts, {}, DomainWeight::Assignments);
  const auto r = answer_facts(load_share(trace), nmi.nmi, js, config["factor"], config["at_most"],
                              config["weak"]);
  const bool none = r.reference_layer < 0;
  return {{"reference_layer", or_null(r.reference_layer)},
          {"experts", none ? Json() : Json(r.experts)},
          {"groups", none ? Json() : Json(r.groups)},
          {"weak_layers", r.weak_layers}};
}

Json t_interval_kind(const Json& golden, const TraceView&) {
  Json out;
  for (const auto& values : golden["inputs"]["values"]) {
    const auto r =
        t_interval(values.get<Row>(), golden["config"]["level"], golden["config"]["min_values"]);
    out["result"].push_back({{"n", r.n},
                             {"mean", r.mean},
                             {"sd", r.sd},
                             {"lo", r.lo},
                             {"hi", r.hi},
                             {"half_width", r.half_width()}});
  }
  return out;
}

Json welch_kind(const Json& golden, const TraceView&) {
  Json out;
  for (size_t i = 0; i < golden["inputs"]["a"].size(); ++i) {
    const auto r = welch(golden["inputs"]["a"][i].get<Row>(), golden["inputs"]["b"][i].get<Row>(),
                         golden["config"]["level"], golden["config"]["min_values"]);
    out["result"].push_back({{"diff", r.diff},
                             {"lo", r.lo},
                             {"hi", r.hi},
                             {"df", r.df},
                             {"p", r.p},
                             {"verdict", r.verdict}});
  }
  return out;
}

Json summary_diff_kind(const Json& golden, const TraceView&) {
  Json out;
  for (const auto& values : golden["inputs"]["values"]) {
    const auto r = better_twin_difference(values.get<Table>(), golden["config"]["higher_is_better"],
                                          golden["config"]["level"]);
    out["diff"].push_back({{"ref", r.twin},
                           {"mean_diff", r.difference.diff},
                           {"lo", r.difference.lo},
                           {"hi", r.difference.hi},
                           {"verdict", r.difference.verdict}});
  }
  return out;
}

Json paired_bootstrap_kind(const Json& golden, const TraceView&) {
  const auto& in = golden["inputs"];
  const auto r = paired_bootstrap(in["a"].get<Row>(), in["b"].get<Row>(),
                                  table_of(golden, "resamples"), golden["config"]["level"]);
  return {{"diff", r.diff},
          {"lo", r.lo},
          {"hi", r.hi},
          {"share_not_above_0", r.share_not_above_0},
          {"replicates", r.replicates}};
}

Json paired_sign_permutation_kind(const Json& golden, const TraceView&) {
  const auto& in = golden["inputs"];
  return {{"p_value", paired_sign_permutation(in["a"].get<Row>(), in["b"].get<Row>(),
                                              table_of(golden, "signs"))}};
}

Json percentile_kind(const Json& golden, const TraceView&) {
  Json out;
  for (const auto& values : golden["inputs"]["values"]) {
    Row row;
    for (double q : golden["config"]["q"].get<Row>())
      row.push_back(percentile(values.get<Row>(), q));
    out["result"].push_back(row);
  }
  return out;
}

Json spearman_kind(const Json& golden, const TraceView&) {
  Json out;
  for (size_t i = 0; i < golden["inputs"]["x"].size(); ++i)
    out["rho"].push_back(
        spearman(golden["inputs"]["x"][i].get<Row>(), golden["inputs"]["y"][i].get<Row>()));
  return out;
}

Json clustering_kind(const Json& golden, const TraceView&) {
  const auto r = cluster_average(golden["inputs"]["distance"].get<Table>());
  Json out{{"linkage", Json::array()},
           {"order", r.order},
           {"groups", r.groups(golden["config"]["groups"])}};
  for (const auto& merge : r.merges)
    out["linkage"].push_back({merge.a, merge.b, merge.height, merge.size});
  return out;
}

}  // namespace

const std::map<std::string, KindFunction>& trace_kinds() {
  static const std::map<std::string, KindFunction> kinds{
      {"load_share", load_share_kind},
      {"entropy", entropy_kind},
      {"nmi", nmi_kind},
      {"js", js_kind},
      {"tracks", tracks_kind},
      {"flow", flow_kind},
      {"paired_permutation", paired_permutation_kind},
      {"answer_facts", answer_facts_kind},
      {"coactivation", coactivation_kind},
      {"labels", labels_kind},
      {"margins", margins_kind}};
  return kinds;
}

const std::map<std::string, KindFunction>& statistics_kinds() {
  static const std::map<std::string, KindFunction> kinds{
      {"t_interval", t_interval_kind},
      {"welch", welch_kind},
      {"summary_diff", summary_diff_kind},
      {"paired_bootstrap", paired_bootstrap_kind},
      {"paired_sign_permutation", paired_sign_permutation_kind},
      {"percentile", percentile_kind},
      {"spearman", spearman_kind},
      {"clustering", clustering_kind},
      {"stability", stability_kind},
      {"ab_match", ab_match_kind}};
  return kinds;
}

}  // namespace switchyard::test
