// Figure 14: what was run, with what, on what.

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

using Fact = std::pair<std::string, std::string>;

std::vector<Fact> facts_of(const ReportData& data) {
  std::vector<Fact> out{{"experiment", data.experiment}};
  if (!data.protocol.empty()) out.emplace_back("protocol", data.protocol);
  std::vector<std::string> cells;
  for (const auto& cell : data.cells) cells.push_back(cat(cell.arm, " seed ", cell.seed));
  out.emplace_back("cells", join(cells));
  const auto known = [&](const char* key) {
    const auto found = data.provenance.find(key);
    return found == data.provenance.end() ? std::string() : found->second;
  };
  for (const char* key : {"git_hash", "torch", "processor", "data_source", "data_hash"})
    out.emplace_back(key, known(key));
  for (const auto& [key, value] : data.provenance) {
    bool listed = false;
    for (const auto& fact : out) listed = listed || fact.first == key;
    if (!listed) out.emplace_back(key, value);
  }
  if (data.synthetic()) out.emplace_back("sensors", "simulated sensors");
  if (data.table && !data.table->rows.empty()) out.emplace_back("metric", data.table->metric);
  if (data.routing) {
    out.emplace_back("trace", cat(data.routing->file.filename().string(),
                                  ", sampling: ", data.routing->trace.sampling));
    out.emplace_back("null of figures 2 and 4",
                     cat(data.routing->plan.unit, ", ", data.routing->plan.draws, " draws (",
                         data.routing->plan.status, ")"));
  }
  return out;
}

}  // namespace

Figure provenance_figure(const ReportData& data) {
  Figure f;
  f.slug = "provenance", f.number = "14", f.title = "Provenance", f.section = "provenance",
  f.span = 12;
  f.reading =
      "What was run, with what, on what. Facts of the run that the routing figures describe.";
  f.definition = "From provenance.json, config.yaml and overrides.txt of the run folder.";
  f.sample = data.shown.folder.filename().string();
  Csv csv("fact,value");
  Json json = Json::object();
  f.html = "<table>";
  for (const auto& [key, value] : facts_of(data)) {
    csv.cell(key).cell(value).end();
    json[key] = value.empty() ? Json() : Json(value);
    f.html += cat("<tr><th>", escape_xml(key), "</th><td",
                  value.empty() ? " class=\"missing\">not recorded" : ">" + escape_xml(value),
                  "</td></tr>");
  }
  f.html += "</table>";
  if (!data.overrides.empty())
    f.html +=
        cat("<h3>Reproduce: switchyard sweep with <button type=\"button\" data-copy=\"#overrides\">copy</button></h3><pre "
            "id=\"overrides\">",
            escape_xml(data.overrides), "</pre>");
  f.csv = csv.text();
  f.data = json.dump();
  return f;
}

}  // namespace switchyard
