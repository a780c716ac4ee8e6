#include <set>

#include "apps/model_run.h"
#include "core/io/file.h"
#include "core/io/json.h"
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

/// Trainable elements, and those a token meets: routed experts count by mean k of the trace.
struct ParameterCount {
  int64_t total = 0;
  double active = 0;
};

/// `share`: for every routed site the share of its experts that a token uses.
ParameterCount count_active(const Module& model, const std::map<std::string, double>& share) {
  ParameterCount out;
  for (const ParamView& view : model.views()) {
    if (!view.trainable) continue;
    const int64_t n = view.value().numel();
    const std::string owner = view.name.substr(0, view.name.find(".experts."));
    double used = 1;
    for (const auto& [site, fraction] : share) {
      if (owner != view.name && owner.ends_with(site)) used = fraction;
    }
    out.total += n;
    out.active += static_cast<double>(n) * used;
  }
  return out;
}

ResultTable make_table(const std::vector<std::string>& domains, const GroupResults& groups,
                       const TableRow& common, const std::string& metric) {
  ResultTable table{"seen_unseen", metric, {}};
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

}  // namespace

void evaluate_run(const fs::path& folder, const RunConfig& run) {
  LoadedModel loaded = load_model(folder, run);
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
        if (!traces || !traced.count(batch.uris.front())) return;
        recorder.begin_batch(
            {batch.uris, batch.groups, batch.domain_ids, batch.labels(), batch.places()});
        context.trace = &recorder;
      },
      [&](const Outputs& outputs, ForwardContext&) { samples.add(outputs); });

  std::map<std::string, double> mean_k_share;
  const fs::path trace = folder / "trace" / cat("test-", loaded.step, ".safetensors");
  if (recorder.has_sites()) {
    recorder.write(trace);
    samples.write(folder / "trace" / "samples.safetensors", trace);
  }
  if (fs::exists(trace)) mean_k_share = expert_share(load_trace(trace));

  const std::string arm = recorded_arm(folder);
  for (auto& row : evaluation.rows) {
    row.arm = arm;
    row.seed = run.seed;
  }
  const ParameterCount count = count_active(*loaded.model, mean_k_share);
  TableRow common;
  common.model = run.node.find("model")->find("type")->as_string();
  common.arm = common.role = arm;
  common.seed = run.seed;
  common.split = "test";
  common.step = loaded.step;
  common.weights = run.trainer.ema_decay > 0 ? "ema" : "raw";
  common.params_total = static_cast<double>(count.total);
  common.params_active = count.active;
  common.flops_per_token = static_cast<double>(evaluation.flops) /
                           static_cast<double>(std::max<int64_t>(1, evaluation.tokens));
  common.data_hash = task.data_hash();

  for (const std::string& metric : run.eval.metrics()) {
    const GroupResults groups{metric, 100, evaluation.rows,
                              class_lists(evaluation, metric, run.eval.class_share)};
    const bool primary = metric == run.eval.metric;
    const std::string stem = primary ? "table" : "table-" + metric;
    if (primary) write_groups(folder / "eval" / "groups.json", groups);
    write_table(folder / "eval", make_table(task.domain_names(), groups, common, metric), stem);
  }
}

}  // namespace switchyard
