#include <cctype>
#include <cstring>
#include <set>

#include "apps/model_run.h"
#include "apps/parameter_count.h"
#include "core/base/glob.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/moe/site_info.h"
#include "eval/analysis/trace_view.h"
#include "eval/study/evaluation.h"
#include "eval/study/samples.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// At most `per_domain` sequences of each domain, chosen by hash of their group, so that a room
/// that all sensors scanned is kept or left out as a whole.
std::set<std::string> choose_sequences(const std::vector<SequenceInfo>& all, int64_t per_domain) {
  std::map<int64_t, std::vector<std::pair<uint64_t, std::string>>> ranked;
  for (const auto& s : all) ranked[s.domain_id].emplace_back(hash64(s.group), s.uri);
  std::set<std::string> chosen;
  for (auto& [domain, list] : ranked) {
    std::sort(list.begin(), list.end());
    if (static_cast<int64_t>(list.size()) > per_domain)
      list.resize(static_cast<size_t>(per_domain));
    for (const auto& [hash, uri] : list) chosen.insert(uri);
  }
  return chosen;
}

ResultTable make_table(const std::vector<std::string>& domains, const GroupResults& groups,
                       const TableRow& common, const std::string& protocol) {
  ResultTable table{protocol, groups.metric, {}};
  for (const auto& domain : domains) {
    std::vector<const GroupRow*> rows;
    for (const auto& row : groups.rows) {
      if (row.domain == domain) rows.push_back(&row);
    }
    TableRow row = common;
    row.domain = domain;
    row.seen = !rows.empty() && rows.front()->seen;
    row.value = ratio_metric(rows, groups.classes.at(domain), groups.scale);
    table.rows.push_back(row);
  }
  return table;
}

/// What eval.override asks for. Errors: `sites` that names none of the model's.
RoutingOverride override_of(const RunConfig& run, const Module& model) {
  const RoutingRuleParams& params = run.eval.routing;
  if (params.text().empty()) return {};
  std::vector<std::string> sites;
  for (const SiteInfo& info : moe_sites(model)) sites.push_back(info.site);
  if (sites.empty()) log::warn("eval.override changes nothing: the model has no MoE site");
  const bool any = std::any_of(sites.begin(), sites.end(),
                               [&](const auto& s) { return matches_glob(params.sites, s); });
  check(sites.empty() || any, "eval.override.sites", "matches no MoE site: got '", params.sites,
        "'; valid: ", join(sites));
  return {{make_rule(params)}};
}

/// The values that all rows of a run share.
TableRow common_row(const RunConfig& run, const std::string& arm, const LoadedModel& loaded,
                    const Evaluation& evaluation,
                    const std::map<std::string, double>& mean_k_share) {
  const ParameterCount count = count_active(*loaded.model, mean_k_share);
  TableRow row;
  row.model = run.node.find("model")->find("type")->as_string();
  row.arm = row.role = arm;
  row.seed = run.seed;
  row.split = "test";
  row.step = loaded.step;
  row.weights = run.trainer.ema_decay > 0 ? "ema" : "raw";
  row.params_total = static_cast<double>(count.total);
  row.params_active = count.active;
  row.flops_per_token = static_cast<double>(evaluation.flops) /
                        static_cast<double>(std::max<int64_t>(1, evaluation.tokens));
  row.data_hash = loaded.task->data_hash();
  return row;
}

void write_results(const fs::path& folder, const RunConfig& run, Evaluation evaluation,
                   const TableRow& common, const std::vector<std::string>& domains) {
  for (auto& row : evaluation.rows) {
    row.arm = common.arm;
    row.seed = common.seed;
  }
  for (const std::string& metric : run.eval.metrics()) {
    const GroupResults groups{metric, 100, evaluation.rows,
                              class_lists(evaluation, metric, run.eval.class_share)};
    const bool primary = metric == run.eval.metric;
    if (primary) write_groups(folder / "groups.json", groups);
    write_table(folder, make_table(domains, groups, common, run.study.protocol),
                primary ? "table" : "table-" + metric);
  }
}

}  // namespace

fs::path evaluation_folder(const fs::path& folder, const RunConfig& run) {
  std::string change = run.eval.routing.text();
  if (run.eval.step >= 0) change = cat("step=", run.eval.step, change.empty() ? "" : ",") + change;
  if (change.empty()) return folder;
  const std::string typed = change;
  for (char& c : change) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && !std::strchr("=.-,", c)) c = '_';
  }
  // Two overrides may look alike once their signs are gone; each has its own folder.
  if (change != typed) change += cat("-", hash64(typed));
  return folder / "override" / change;
}

void evaluate_run(const fs::path& run_folder, const RunConfig& run) {
  LoadedModel loaded = load_model(run_folder, run);
  const fs::path folder = evaluation_folder(run_folder, run);
  const RoutingOverride routing = override_of(run, *loaded.model);
  Task& task = *loaded.task;
  const auto all = task.sequences("test");
  const bool traces = run.trace.enabled && !run.eval.votes();
  const auto traced = choose_sequences(all, run.trace.sequences);
  TraceRecorder recorder(trace_header(
      task, "test", loaded.step,
      cat("whole sequences, at most ", run.trace.sequences, " per domain, by hash of group")));
  SampleRecorder samples(all, run.trace.samples, static_cast<uint64_t>(run.seed));
  Evaluation evaluation = evaluate(
      task, *loaded.model, run.eval.votes() ? "test-vote" : "test", run.device,
      [&](const Batch& batch, ForwardContext& context) {
        context.routing_override = &routing;
        if (!traces || !traced.count(batch.uris.front())) return;
        recorder.begin_batch(
            {batch.uris, batch.groups, batch.domain_ids, batch.labels(), batch.places()});
        context.trace = &recorder;
      },
      [&](const Outputs& outputs, ForwardContext&) { samples.add(outputs); });

  std::map<std::string, double> mean_k_share = selector_share(*loaded.model);
  const fs::path trace = folder / "trace" / cat("test-", loaded.step, ".safetensors");
  if (recorder.has_sites()) {
    recorder.write(trace);
    samples.write(folder / "trace" / "samples.safetensors", trace);
  }
  if (fs::exists(trace)) mean_k_share = expert_share(load_trace(trace));
  const TableRow common =
      common_row(run, recorded_arm(run_folder), loaded, evaluation, mean_k_share);
  write_results(folder / "eval", run, std::move(evaluation), common, task.domain_names());
}

}  // namespace switchyard
