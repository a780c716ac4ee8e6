#include <cmath>
#include <cstdio>

#include "core/base/text.h"
#include "eval/study/metric_info.h"
#include "eval/study/results.h"

namespace switchyard {
namespace {

std::string fixed(double x, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, x);
  return text;
}

std::string signed_value(double x, int decimals) {
  const std::string digits = fixed(std::abs(x), decimals);
  if (digits == fixed(0, decimals)) return digits;
  return (x < 0 ? "−" : "+") + digits;
}

std::string cell_text(const SummaryCell& cell, int decimals) {
  if (!defined(cell.mean)) return "–";
  std::string out = fixed(cell.mean, decimals);
  if (defined(cell.lo))
    out += " (" + fixed(cell.lo, decimals) + " to " + fixed(cell.hi, decimals) + ")";
  return out;
}

std::string difference_text(const Difference& d, int decimals) {
  if (!defined(d.diff)) return "–";
  std::string out = signed_value(d.diff, decimals);
  if (!defined(d.lo)) return out + ", no interval";
  return out + " (" + signed_value(d.lo, decimals) + " to " + signed_value(d.hi, decimals) + "), " +
         d.verdict;
}

std::string line(const std::vector<std::string>& cells) {
  return "| " + join(cells, " | ") + " |\n";
}

std::string rule(size_t columns) { return line(std::vector<std::string>(columns, "---")); }

std::string escaped(const std::string& name) {
  std::string out;
  for (char c : name) out += c == '|' ? std::string("\\|") : std::string(1, c == '\n' ? ' ' : c);
  return out;
}

// 1234567 -> "1.23 M"
std::string scaled_count(double x) {
  if (!defined(x)) return "–";
  const char* units[] = {"", " k", " M", " G", " T"};
  size_t unit = 0;
  for (; std::abs(x) >= 1000 && unit < 4; ++unit) x /= 1000;
  return fixed(x, unit == 0 ? 0 : 2) + units[unit];
}

std::string costs(const SummaryTable& summary, const ResultTable& table) {
  std::string out = line({"arm", "parameters", "active", "FLOPs per token"}) + rule(4);
  for (const auto& arm : summary.arms) {
    for (const auto& row : table.rows) {
      if (row.arm != arm) continue;
      out += line({escaped(arm), scaled_count(row.params_total), scaled_count(row.params_active),
                   scaled_count(row.flops_per_token)});
      break;
    }
  }
  return out;
}

}  // namespace

std::string summary_markdown(const SummaryTable& summary, const ResultTable& table) {
  const MetricInfo& info = metric_info(summary.metric);
  std::vector<std::string> head{"domain", "seen"};
  for (const auto& arm : summary.arms) head.push_back(escaped(arm));
  for (size_t m = 1; m < summary.arms.size(); ++m)
    head.push_back(escaped(summary.arms[0]) + " − " + escaped(summary.arms[m]));
  std::string out = "`" + summary.metric + "`" + (info.unit.empty() ? info.suffix() : "") +
                    (info.higher_is_better ? "" : " (" + info.direction() + ")") +
                    ", 95 % intervals: " + summary.interval + ".\n\n";
  out += line(head) + rule(head.size());
  for (const auto& row : summary.rows) {
    std::vector<std::string> cells{escaped(row.domain), row.seen ? "seen" : "never seen"};
    for (const auto& cell : row.cells) cells.push_back(cell_text(cell, info.decimals));
    for (const auto& d : row.differences)
      cells.push_back(difference_text(d.difference, info.decimals));
    out += line(cells);
  }
  out += "\n" + costs(summary, table);
  if (summary.oracles.empty()) return out;
  return out + "\nOracle, told the data domain at evaluation: " + escaped(join(summary.oracles)) +
         ".\n";
}

}  // namespace switchyard
