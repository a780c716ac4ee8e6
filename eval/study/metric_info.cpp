#include "eval/study/metric_info.h"

#include <cmath>
#include <vector>

#include "core/base/text.h"
#include "eval/analysis/stats.h"

namespace switchyard {
namespace {

const std::vector<MetricInfo>& metrics() {
  static const std::vector<MetricInfo> all = {
      {"miou", true, 100, "%", 1}, {"loss", false, 1, "", 3},        {"mse", false, 1, "", 4},
      {"fid", false, 1, "", 2},    {"sfid", false, 1, "", 2},        {"kid", false, 1000, "", 2},
      {"is", true, 1, "", 2},      {"precision", true, 100, "%", 1}, {"recall", true, 100, "%", 1},
  };
  return all;
}

}  // namespace

std::string MetricInfo::suffix() const {
  if (!unit.empty()) return ", " + unit;
  return scale == 1 ? "" : cat(" × ", scale);
}

std::string MetricInfo::verdict(double lo, double hi) const {
  return higher_is_better ? switchyard::verdict(lo, hi) : switchyard::verdict(-hi, -lo);
}

double MetricInfo::resolution() const { return std::pow(10, -decimals); }

const MetricInfo& metric_info(const std::string& metric) {
  const std::string name = metric.substr(0, metric.find('@'));
  for (const MetricInfo& info : metrics())
    if (info.name == name) return info;
  return metrics().front();
}

}  // namespace switchyard
