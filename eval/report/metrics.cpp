#include "eval/report/metrics.h"

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace switchyard {
namespace {

void add_line(std::vector<MetricSeries>& out, const Json& line, size_t file, size_t files) {
  if (!line.is_object() || !line.contains("step") || !line["step"].is_number()) return;
  for (const auto& item : line.items()) {
    if (item.key() == "step" || !item.value().is_number()) continue;
    auto found =
        std::find_if(out.begin(), out.end(), [&](const auto& s) { return s.name == item.key(); });
    if (found == out.end()) {
      out.push_back({item.key(), std::vector<Row>(files), std::vector<Row>(files)});
      found = out.end() - 1;
    }
    found->step[file].push_back(line["step"].get<double>());
    found->value[file].push_back(item.value().get<double>());
  }
}

}  // namespace

std::vector<MetricSeries> read_metrics(const std::vector<std::filesystem::path>& files) {
  std::vector<MetricSeries> out;
  for (size_t f = 0; f < files.size(); ++f) {
    if (!std::filesystem::exists(files[f])) continue;
    const std::string text = read_text(files[f]);
    int64_t number = 0;
    for (const auto& line : split(text, '\n')) {
      ++number;
      if (!trim(line).empty())
        add_line(out, parse_json(line, cat(files[f].string(), ":", number)), f, files.size());
    }
  }
  return out;
}

std::pair<Row, Row> mean_series(const MetricSeries& series) {
  std::map<double, Row> at;
  size_t seeds = 0;
  for (size_t s = 0; s < series.step.size(); ++s) {
    seeds += !series.step[s].empty();
    for (size_t i = 0; i < series.step[s].size(); ++i)
      at[series.step[s][i]].push_back(series.value[s][i]);
  }
  std::pair<Row, Row> out;
  for (const auto& [step, values] : at) {
    if (values.size() != seeds) continue;
    out.first.push_back(step);
    out.second.push_back(mean(values));
  }
  return out;
}

}  // namespace switchyard
