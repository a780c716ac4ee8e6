#include "eval/study/protocol_summary.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/base/text.h"
#include "core/io/file.h"
#include "eval/study/csv.h"
#include "eval/study/metric_info.h"

namespace switchyard {
namespace {

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

std::string number(double x, int decimals) {
  if (!defined(x)) return "–";
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, x);
  return text;
}

std::string with_spread(const Row& values, int decimals) {
  const double sd = sample_deviation(values);
  const std::string center = number(mean(values), decimals);
  return defined(sd) ? center + " ± " + number(sd, decimals) : center;
}

std::string change_text(const ProtocolRow& row, bool relative, const MetricInfo& info) {
  return relative ? number(info.gain(row.change(true)), 1)
                  : number(row.change(false), info.decimals);
}

std::string line(const std::vector<std::string>& cells) {
  return "| " + join(cells, " | ") + " |\n";
}

ProtocolRow row_of(const ProtocolSummary& summary, const ProtocolRow& like,
                   const std::string& arm) {
  for (const auto& row : summary.rows)
    if (row.block == like.block && row.condition == like.condition && row.arm == arm) return row;
  return {};
}

std::string block_markdown(const ProtocolSummary& summary, const std::string& block,
                           const std::vector<std::string>& arms) {
  const MetricInfo& info = metric_info(summary.metric);
  const std::string loss = info.higher_is_better ? "drop, %" : "rise, %";
  const std::string change = summary.relative ? loss : "difference";
  std::vector<std::string> head{summary.condition};
  for (const auto& arm : arms)
    for (const auto& title : {summary.value, summary.reference, change})
      head.push_back(arm + ": " + title);
  std::string out = block.empty() ? "" : "**" + block + "**\n\n";
  out += line(head) + line(std::vector<std::string>(head.size(), "---"));
  std::set<std::string> done;
  for (const auto& row : summary.rows) {
    if (row.block != block || !done.insert(row.condition).second) continue;
    std::vector<std::string> cells{row.condition};
    for (const auto& arm : arms) {
      const ProtocolRow shown = row_of(summary, row, arm);
      cells.insert(cells.end(), {with_spread(shown.values, info.decimals),
                                 with_spread(shown.reference, info.decimals),
                                 change_text(shown, summary.relative, info)});
    }
    out += line(cells);
  }
  return out + "\n";
}

Json row_json(const ProtocolRow& row) {
  return {{"block", row.block},
          {"condition", row.condition},
          {"arm", row.arm},
          {"seeds", row.values.size()},
          {"mean", mean(row.values)},
          {"sd", sample_deviation(row.values)},
          {"reference_mean", mean(row.reference)},
          {"reference_sd", sample_deviation(row.reference)},
          {"difference", row.change(false)},
          {"relative_drop_percent", row.change(true)}};
}

std::string csv_line(const Json& row, bool names) {
  std::vector<std::string> cells;
  for (const auto& item : row.items())
    cells.push_back(csv_cell(names ? Json(item.key()) : item.value()));
  return join(cells, ",") + "\n";
}

}  // namespace

double ProtocolRow::change(bool relative) const {
  const double value = mean(values), against = mean(reference);
  if (!relative) return value - against;
  return against > 0 ? 100 * (against - value) / against : kUndefined;
}

void ScoreTable::add(const Key& key, double score) {
  add_once(conditions_, key.condition);
  add_once(arms_, key.arm);
  scores_[key].push_back(score);
}

Row ScoreTable::per_seed(const std::vector<std::string>& conditions, const std::string& arm) const {
  std::map<int64_t, Row> by_seed;
  for (const auto& [key, scores] : scores_) {
    const bool wanted =
        std::find(conditions.begin(), conditions.end(), key.condition) != conditions.end();
    if (const double score = mean(scores); wanted && key.arm == arm && defined(score))
      by_seed[key.seed].push_back(score);
  }
  Row out;
  for (const auto& [seed, scores] : by_seed)
    if (scores.size() == conditions.size()) out.push_back(mean(scores));
  return out;
}

std::string protocol_markdown(const ProtocolSummary& summary) {
  std::vector<std::string> blocks, arms;
  size_t seeds = 0;
  for (const auto& row : summary.rows) {
    add_once(blocks, row.block);
    add_once(arms, row.arm);
    seeds = std::max(seeds, row.values.size());
  }
  std::string out = cat("`", summary.protocol, "`, `", summary.metric, "`, ",
                        seeds == 1 ? std::string("one seed: no spread")
                                   : cat("mean ± standard deviation over ", seeds, " seeds"),
                        ".\n\n");
  for (const auto& block : blocks) out += block_markdown(summary, block, arms);
  return out;
}

void write_summary(const std::filesystem::path& folder, const ProtocolSummary& summary) {
  Json out{{"schema", "switchyard.summary/1"},
           {"protocol", summary.protocol},
           {"metric", summary.metric},
           {"condition", summary.condition},
           {"value", summary.value},
           {"reference", summary.reference},
           {"rows", Json::array()}};
  std::string csv = csv_line(row_json({}), /*names=*/true);
  for (const auto& row : summary.rows) {
    Json entry = row_json(row);
    csv += csv_line(entry, /*names=*/false);
    entry["values"] = row.values;
    entry["reference"] = row.reference;
    out["rows"].push_back(std::move(entry));
  }
  write_json(folder / "summary.json", out);
  write_text(folder / "summary.csv", csv);
  write_text(folder / "summary.md", protocol_markdown(summary));
}

}  // namespace switchyard
