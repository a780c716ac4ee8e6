#include "eval/report/compare.h"

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/compare_figures.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

std::string data_hash(const ReportData& data) {
  return data.table && !data.table->rows.empty() ? data.table->rows.front().data_hash : "";
}

void flatten(const ConfigNode& node, const std::string& path,
             std::map<std::string, std::string>& out) {
  if (!node.is_map()) {
    out[path] = to_json(node).dump();
    return;
  }
  for (const auto& [key, value] : node.as_map())
    flatten(value, path.empty() ? key : cat(path, ".", key), out);
}

/// "B is worse on X; Y is undecided": words only where an interval excludes 0.
std::string metric_answer(const ReportData& a, const ReportData& b) {
  const std::string reason = not_comparable(a, b);
  if (!reason.empty()) return "Not compared: " + escape_xml(reason) + ".";
  std::vector<std::string> better, worse, undecided;
  for (const auto& row : compared_scores(a, b)) {
    if (row.seen) continue;
    auto& list = row.difference.verdict == "beats"   ? better
                 : row.difference.verdict == "loses" ? worse
                                                     : undecided;
    list.push_back(escape_xml(row.domain));
  }
  std::string out;
  if (!better.empty()) out += "B is better on " + listed(better) + ". ";
  if (!worse.empty()) out += "B is worse on " + listed(worse) + ". ";
  if (!undecided.empty()) out += "The seeds cannot separate them on " + listed(undecided) + ".";
  return out.empty() ? "No domain that neither run saw was evaluated in both." : out;
}

std::string routing_change(const ReportData& a, const ReportData& b) {
  if (!a.routing || !b.routing) return "One of the runs has no routing trace.";
  const auto at = [](const Routing& r) {
    return cat(information_text(r.domain.nmi[static_cast<size_t>(r.reference)]), " (layer ",
               r.reference, ")");
  };
  return cat("The largest NMI(domain; expert) is ", at(*a.routing), " in A and ", at(*b.routing),
             " in B.");
}

}  // namespace

std::string not_comparable(const ReportData& a, const ReportData& b) {
  if (!a.summary || !b.summary) return "a run without evaluation results";
  if (a.table->metric != b.table->metric)
    return cat("metrics differ: A has ", a.table->metric, ", B has ", b.table->metric);
  if (a.table->protocol != b.table->protocol)
    return cat("protocols differ: A has ", a.table->protocol, ", B has ", b.table->protocol);
  return data_hash(a) == data_hash(b) ? "" : "the data differ (data_hash in eval/table.json)";
}

std::vector<std::array<std::string, 3>> config_differences(const ConfigNode& a,
                                                           const ConfigNode& b) {
  std::map<std::string, std::string> of_a, of_b;
  flatten(a, "", of_a);
  flatten(b, "", of_b);
  std::map<std::string, std::string> all = of_a;
  all.insert(of_b.begin(), of_b.end());
  std::vector<std::array<std::string, 3>> out;
  const auto value = [](const auto& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? std::string("–") : found->second;
  };
  for (const auto& [key, unused] : all)
    if (value(of_a, key) != value(of_b, key))
      out.push_back({key, value(of_a, key), value(of_b, key)});
  return out;
}

Page compare_page(const ReportData& a, const ReportData& b) {
  Page page;
  page.title = "A | B";
  page.subtitle = cat("A: ", a.folder.filename().string(), " · B: ", b.folder.filename().string());
  if (a.synthetic() || b.synthetic()) page.badge = "simulated sensors";
  page.answers = {{"What changed for unseen domains?", metric_answer(a, b)},
                  {"What changed in the routing?", routing_change(a, b)}};
  page.figures = {compare_scores_figure(a, b), compare_share_figure(a, b), compare_nmi_figure(a, b),
                  compare_config_figure(a, b)};
  if (a.routing) page.layer = a.routing->reference;
  return page;
}

}  // namespace switchyard
