#include "apps/study_tables.h"

#include <set>

#include "apps/model_run.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/analysis/probe.h"
#include "eval/study/protocol.h"
#include "eval/study/results.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

ResultTable merge_tables(const std::vector<fs::path>& folders, const std::string& stem) {
  ResultTable merged;
  for (const auto& folder : folders) {
    ResultTable table = read_table(folder / "eval" / (stem + ".json"));
    merged.protocol = table.protocol;
    merged.metric = table.metric;
    merged.rows.insert(merged.rows.end(), table.rows.begin(), table.rows.end());
  }
  return merged;
}

GroupResults merge_groups(const std::vector<fs::path>& folders) {
  GroupResults merged;
  for (const auto& folder : folders) {
    GroupResults part = read_groups(folder / "eval" / "groups.json");
    check(merged.rows.empty() || merged.metric == part.metric, folder.string(),
          "cells were evaluated with different metrics: got ", part.metric, ", expected ",
          merged.metric);
    merged.metric = part.metric;
    merged.scale = part.scale;
    merged.classes = part.classes;
    merged.rows.insert(merged.rows.end(), part.rows.begin(), part.rows.end());
  }
  return merged;
}

/// "table" and "table-<metric>", as an evaluation wrote them.
std::vector<std::string> table_stems(const fs::path& eval) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(eval)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".json" && path.stem().string().starts_with("table"))
      out.push_back(path.stem().string());
  }
  return out;
}

/// Tables of `folder` from the eval/ of `parts`.
std::string write_tables(const fs::path& folder, const std::vector<fs::path>& parts,
                         const RunConfig& run) {
  for (const auto& stem : table_stems(parts.front() / "eval"))
    write_table(folder / "eval", merge_tables(parts, stem), stem);
  const GroupResults groups = merge_groups(parts);
  write_groups(folder / "eval" / "groups.json", groups);
  const ResultTable table = read_table(folder / "eval" / "table.json");
  const SummaryTable summary =
      summarise(table, groups, run.eval.group_word, run.eval.draws, RandomStream(0, "summary"));
  std::string text = summary_markdown(summary, table);
  if (!run.study.conclusions) text += "\nToo short a run to say anything about the models.\n";
  write_text(folder / "eval" / "table.md", text);
  return text;
}

/// Rows of the training domains, one sample of tokens per scan.
ProbeInput probe_rows(Task& task, int64_t max_per_domain) {
  ProbeInput input;
  input.channels = task.channel_names();
  const auto domains = task.domain_names(), seen = task.seen_domains();
  const auto sequences = task.sequences("test");
  std::map<std::string, int64_t> group_ids;
  std::map<int64_t, int64_t> scans;
  for (const auto& s : sequences) ++scans[s.domain_id];
  const auto source = task.source("test");
  while (const auto batch = source->next()) {
    const int64_t domain = batch->domain_ids.front();
    const auto position = std::find(seen.begin(), seen.end(), domains[static_cast<size_t>(domain)]);
    if (position == seen.end()) continue;
    const int64_t group =
        group_ids.emplace(batch->groups.front(), int64_t(group_ids.size())).first->second;
    const at::Tensor features = batch->features().contiguous();
    const int64_t wanted = std::min(features.size(0), max_per_domain / scans[domain] + 1);
    RandomStream stream(hash64(batch->uris.front()), "probe");
    const auto order = stream.permutation(features.size(0));
    for (int64_t i = 0; i < wanted; ++i) {
      const float* row = features.data_ptr<float>() + order[size_t(i)] * features.size(1);
      input.x.insert(input.x.end(), row, row + features.size(1));
      input.domain.push_back(position - seen.begin());
      input.group.push_back(group);
    }
  }
  return input;
}

}  // namespace

std::string write_study_tables(const Study& study, const RunConfig& run) {
  const auto protocol = make_protocol(study.protocol());
  std::vector<fs::path> folders;
  std::vector<CellTable> cells;
  for (const auto& cell : study.cells()) {
    const fs::path cell_folder = study.cell_folder(cell);
    if (!protocol->source(cell)) folders.push_back(evaluation_folder(cell_folder, run));
    for (const auto& condition : protocol->conditions(run.study)) {
      const fs::path folder = EvaluationRequest{cell_folder, condition}.folder(run);
      cells.push_back({cell, read_table(folder / "eval" / "table.json"), condition});
    }
  }
  const fs::path folder = evaluation_folder(study.folder(), run);
  const std::string table = write_tables(folder, folders, run);
  const auto summary = protocol->summarise(cells);
  if (!summary) return table;
  write_summary(folder / "eval", *summary);
  return table + "\n" + protocol_markdown(*summary);
}

std::string run_table(const fs::path& run_folder, const RunConfig& run) {
  const fs::path folder = evaluation_folder(run_folder, run);
  return write_tables(folder, {folder}, run);
}

std::string write_probe(const fs::path& folder) {
  const fs::path run_folder = Study::is_study(folder) ? [&] {
    const Study study = Study::open(folder);
    return study.cell_folder(study.cells().front());
  }() : folder;
  const RunConfig run = read_run(run_folder);
  const auto task = make_task(run);
  if (task->seen_domains().size() < 2)
    return "no input probe: one training domain, nothing to tell apart";
  const ProbeOptions options;
  const ProbeInput input = probe_rows(*task, options.max_rows_per_domain);
  std::map<int64_t, std::set<int64_t>> groups;
  for (size_t i = 0; i < input.domain.size(); ++i) groups[input.domain[i]].insert(input.group[i]);
  for (const auto& [domain, ids] : groups) {
    if (ids.size() < 2)
      return cat("no input probe: it is tested on other groups, and domain '",
                 task->seen_domains()[size_t(domain)], "' has one");
  }
  Json results = Json::array();
  std::vector<std::string> lines = {
      "what one input token tells about its domain (accuracy on unseen groups):"};
  for (const auto& r : probe_domains(input, options, RandomStream(uint64_t(run.seed), "probe"))) {
    results.push_back({{"channels", r.channels},
                       {"probe", r.probe},
                       {"score", r.score},
                       {"chance", r.chance},
                       {"lo", r.lo},
                       {"hi", r.hi},
                       {"groups", r.test_groups}});
    lines.push_back(cat("  ", r.channels, ", ", r.probe, ": ", std::round(r.score * 1000) / 1000,
                        " (chance ", std::round(r.chance * 1000) / 1000, ")"));
  }
  write_json(folder / "eval" / "probe.json",
             {{"schema", "switchyard.probe/1"}, {"rows", input.rows()}, {"results", results}});
  return join(lines, "\n");
}

}  // namespace switchyard
