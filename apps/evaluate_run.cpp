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
#include "eval/study/metric_info.h"
#include "eval/study/protocol.h"
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
  const auto sites = moe_sites(*loaded.model);
  row.oracle = !loaded.task->domain_readers().empty() ||
               std::any_of(sites.begin(), sites.end(), [](const auto& s) { return s.oracle(); });
  return row;
}

/// All metrics of one evaluation; voting gives its own alone.
std::vector<std::string> metrics_of(const RunConfig& run, const Task& task) {
  if (run.eval.votes()) return {run.eval.metric};
  auto out = task.metrics();
  std::erase_if(out, is_voted);
  return out;
}

/// `like`: whose class lists hold, and then the primary metric alone is written; empty: all metrics
/// with lists of their own.
void write_results(const fs::path& folder, const RunConfig& run, Evaluation evaluation,
                   const TableRow& common, const Task& task, const fs::path& like) {
  for (auto& row : evaluation.rows) {
    row.arm = common.arm;
    row.seed = common.seed;
  }
  for (const std::string& metric : metrics_of(run, task)) {
    const bool primary = metric == run.eval.metric;
    if (!primary && !like.empty()) continue;
    const GroupResults groups{metric, metric_info(metric).scale, evaluation.rows,
                              like.empty() ? class_lists(evaluation, metric, run.eval.class_share)
                                           : read_groups(like / "eval" / "groups.json").classes};
    if (primary) write_groups(folder / "groups.json", groups);
    write_table(folder, make_table(task.domain_names(), groups, common, run.study.protocol),
                primary ? "table" : "table-" + metric);
  }
}

/// What a forward pass at evaluation draws from: shuffled curves, say. Depends on the sequence
/// alone.
RandomStream draws_of(int64_t pass, const Batch& batch) {
  return {static_cast<uint64_t>(pass), "evaluation", 0, hash64(batch.uris.front())};
}

/// Evaluates again with other draws, prints the spread of the primary metric and writes it to
/// passes.json.
void repeat_passes(const fs::path& folder, const RunConfig& run, LoadedModel& loaded,
                   const RoutingOverride& routing) {
  const auto classes = read_groups(folder / "groups.json").classes;
  std::map<std::string, Row> values;
  for (const auto& row : read_table(folder / "table.json").rows) values[row.domain] = {row.value};
  for (int64_t pass = 1; pass < run.eval.passes; ++pass) {
    const Evaluation again = evaluate(*loaded.task, *loaded.model, "test", run.device,
                                      [&](const Batch& batch, ForwardContext& context) {
                                        context.routing_override = &routing;
                                        context.random = draws_of(pass, batch);
                                      });
    const GroupResults groups{run.eval.metric, metric_info(run.eval.metric).scale, again.rows,
                              classes};
    for (const auto& row : make_table(loaded.task->domain_names(), groups, {}, "").rows)
      values[row.domain].push_back(row.value);
  }
  Json domains = Json::object();
  for (const auto& [domain, row] : values) {
    domains[domain] = {{"values", row}, {"mean", mean(row)}, {"sd", sample_deviation(row)}};
    log::info(domain, ": ", mean(row), ", standard deviation ", sample_deviation(row), " over ",
              row.size(), " passes with other draws");
  }
  write_json(folder / "passes.json", {{"metric", run.eval.metric}, {"domains", domains}});
}

}  // namespace

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

fs::path EvaluationRequest::folder(const RunConfig& run) const {
  return evaluation_folder(condition.empty() ? run_folder : run_folder / "conditions" / condition,
                           run);
}

void evaluate_cell(const Study& study, const StudyCell& cell, const RunConfig& run, bool resume) {
  const auto protocol = make_protocol(study.protocol());
  const fs::path folder = study.cell_folder(cell);
  const auto source = protocol->source(cell);
  for (const auto& condition : protocol->conditions(run.study)) {
    EvaluationRequest request{folder, condition};
    request.features = study.folder() / "features";
    if (source) request.compare_with = evaluation_folder(study.cell_folder(*source), run);
    if (!condition.empty()) {
      // write_table writes the CSV last.
      if (resume && fs::exists(request.folder(run) / "eval" / "table.csv")) continue;
      log::info("condition ", condition);
      request.compare_with = evaluation_folder(folder, run);
    }
    evaluate_run(request,
                 parse_run(protocol->configure_condition(run.node, condition), run.overrides));
  }
}

void evaluate_run(const EvaluationRequest& request, const RunConfig& run) {
  LoadedModel loaded = load_model(request.run_folder, run);
  const fs::path folder = request.folder(run);
  const RoutingOverride routing = override_of(run, *loaded.model);
  Task& task = *loaded.task;
  const auto all = task.sequences("test");
  const bool traces = run.trace.enabled && !run.eval.votes();
  const auto traced = choose_sequences(all, run.trace.sequences);
  TraceRecorder recorder(trace_header(
      task, "test", loaded.step,
      cat("whole sequences, at most ", run.trace.sequences, " per domain, by hash of group")));
  std::vector<SequenceInfo> traceable;
  std::copy_if(all.begin(), all.end(), std::back_inserter(traceable),
               [&](const auto& s) { return traced.count(s.uri) > 0; });
  SampleRecorder samples(traceable, run.trace.samples, static_cast<uint64_t>(run.seed));
  Evaluation evaluation = evaluate(
      task, *loaded.model, run.eval.votes() ? "test-vote" : "test", run.device,
      [&](const Batch& batch, ForwardContext& context) {
        context.routing_override = &routing;
        context.random = draws_of(0, batch);
        if (!traces || !traced.count(batch.uris.front())) return;
        recorder.begin_batch({batch.uris, batch.groups, batch.domain_ids, batch.labels(),
                              batch.places(), batch.times()});
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
      common_row(run, recorded_arm(request.run_folder), loaded, evaluation, mean_k_share);
  write_results(folder / "eval", run, std::move(evaluation), common, task, request.compare_with);
  if (request.compare_with.empty())
    score_generation(task, *loaded.model, run.eval.generate, run.device,
                     {folder / "eval",
                      request.features.empty() ? folder / "eval" / "features" : request.features,
                      common, run.study.protocol},
                     [&](const Generator::Pass&, ForwardContext& context) {
                       context.routing_override = &routing;
                     });
  if (run.eval.passes > 1) repeat_passes(folder / "eval", run, loaded, routing);
}

}  // namespace switchyard
