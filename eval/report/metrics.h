#pragma once
// Series of metrics.jsonl files of several seeds.

#include <filesystem>
#include <string>
#include <vector>

#include "eval/analysis/stats.h"

namespace switchyard {

struct MetricSeries {
  std::string name;
  std::vector<Row> step, value;  ///< [seed][point]; defined values only
};

/// Every numeric series of the files but "step", in order of appearance. Missing files count as
/// empty.
std::vector<MetricSeries> read_metrics(const std::vector<std::filesystem::path>& files);

/// Mean over the seeds at the steps that all seeds with the series share: (steps, means).
std::pair<Row, Row> mean_series(const MetricSeries& series);

}  // namespace switchyard
