#include "eval/report/report.h"

#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/report/answers.h"
#include "eval/report/budget.h"
#include "eval/report/compare.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/page.h"
#include "eval/report/palette.h"
#include "eval/report/png.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

enum class About { Any, Pictures, NoPictures };

struct Entry {
  Figure (*make)(const ReportData&);
  About about = About::Any;

  bool fits(const ReportData& data) const {
    return about == About::Any || data.pictures() == (about == About::Pictures);
  }
};
constexpr Entry kFigures[] = {{summary_figure},
                              {share_figure},
                              {load_figure},
                              {entropy_figure},
                              {nmi_domain_figure},
                              {nmi_class_figure},
                              {js_figure},
                              {js_depth_figure},
                              {coactivation_figure},
                              {flow_ribbons_figure},
                              {labels_figure},
                              {margins_figure},
                              {stability_figure},
                              {denoising_figure, About::Pictures},
                              {condition_split_figure, About::Pictures},
                              {probe_figure},
                              {overlay_points_figure, About::NoPictures},
                              {overlay_images_figure, About::Pictures},
                              {samples_figure, About::Pictures},
                              {overlay_denoising_figure, About::Pictures},
                              {curves_figure},
                              {provenance_figure}};

std::string subtitle(const ReportData& data) {
  std::vector<std::string> parts;
  if (data.routing) {
    const Routing& r = *data.routing;
    parts.push_back(cat("step ", count_text(r.trace.step)));
    parts.push_back(cat(r.layers(), " MoE layers × ", r.trace.sites.back().experts, " experts, ",
                        r.trace.sites.back().k > 0 ? cat("top-", r.trace.sites.back().k)
                                                   : std::string("variable k")));
  }
  if (data.summary)
    parts.push_back(cat(data.summary->seeds, data.summary->seeds == 1 ? " seed" : " seeds"));
  return join(parts, " · ");
}

Page make_page(const ReportData& data, std::vector<Figure> figures) {
  Page page;
  page.title = data.experiment;
  page.subtitle = subtitle(data);
  if (data.synthetic()) page.badge = "simulated sensors";
  page.answers = {{"Did it generalise to domains it never saw?", generalisation_answer(data)},
                  {"Which experts handled what?", routing_answer(data)}};
  page.figures = std::move(figures);
  page.png_files = png_unavailable().empty();
  if (!page.png_files)
    page.notes.push_back(cat("No PNG files: ", png_unavailable(),
                             ". The png button of a figure makes one in the browser."));
  page.layer_names = data.layers.names;
  page.layer = data.layers.reference;
  page.tracks = data.layers.tracks;
  if (data.routing) {
    for (int64_t d : data.routing->order)
      page.domains.push_back(data.routing->trace.domains[static_cast<size_t>(d)].name);
  }
  return page;
}

Json axes_json(const ReportData& data) {
  Json out{{"layers", Json::array()},
           {"domains", Json::array()},
           {"classes", Json::array()},
           {"tracks", Json::array()}};
  if (!data.routing) return out;
  const Routing& r = *data.routing;
  for (size_t l = 0; l < r.trace.sites.size(); ++l)
    out["layers"].push_back({{"index", l},
                             {"name", r.trace.sites[l].name},
                             {"experts", r.trace.sites[l].experts},
                             {"k", r.trace.sites[l].k}});
  for (const auto& d : r.trace.domains)
    out["domains"].push_back({{"name", d.name}, {"seen", d.seen}});
  out["classes"] = r.trace.classes;
  out["tracks"] = r.tracks.tracks;
  out["track_strength"] = Json::array();
  for (size_t l = 0; l < r.tracks.kept.size(); ++l)
    out["track_strength"].push_back(
        {{"kept", r.tracks.kept[l]},
         {"null95", l < r.tracks.null95.size() ? r.tracks.null95[l] : kUndefined}});
  return out;
}

Json source_json(const ReportData& data) {
  const auto known = [&](const char* key) {
    const auto found = data.provenance.find(key);
    return found == data.provenance.end() ? Json() : Json(found->second);
  };
  Json out{{"run", data.shown.folder.filename().string()},
           {"git", known("git")},
           {"data_source", known("data_source")},
           {"synthetic", known("synthetic")}};
  if (data.routing)
    out["checkpoint_step"] = data.routing->trace.step,
    out["trace"] = data.routing->file.filename().string();
  return out;
}

Json envelope(const Figure& f, const ReportData& data) {
  Json missing = Json::array();
  if (!f.empty.empty()) missing.push_back({{"what", f.empty}, {"how", f.how}});
  return {{"schema", "switchyard.figure/1"},
          {"slug", f.slug},
          {"title", f.title},
          {"reading", f.reading},
          {"finding", f.finding},
          {"definition", f.definition},
          {"unit", f.unit},
          {"status", f.status()},
          {"missing", missing},
          {"sample", f.sample},
          {"source", source_json(data)},
          {"axes", axes_json(data)},
          {"data", parse_json(f.data, f.slug)}};
}

void write_figure(const fs::path& folder, const Figure& f, const ReportData& data) {
  write_json(folder / (f.slug + ".json"), envelope(f, data));
  write_text(folder / (f.slug + ".csv"), f.csv);
  for (const auto& [name, bytes] : f.files) write_text(folder / name, bytes);
  const FigureView* view = f.shown();
  if (view == nullptr) return;
  std::vector<Svg> panels = view->legend;
  panels.insert(panels.end(), view->panels.begin(), view->panels.end());
  const std::string svg =
      flow_panels(panels, f.span > 6 ? 1280 : 640).element(f.title, literal_sheet());
  write_text(folder / (f.slug + ".svg"), svg);
  if (png_unavailable().empty()) write_text(folder / (f.slug + ".png"), svg_to_png(svg));
}

void write_comparison(const fs::path& folder, const ReportData& a, const ReportInput& input) {
  const ReportData b = read_report_data(input.compare);
  Page page = compare_page(a, b);
  page.png_files = png_unavailable().empty();
  for (const auto& f : page.figures) write_figure(folder / "fig", f, a);
  write_text(folder / cat("compare-", b.folder.filename().string(), ".html"),
             page_within(page, input.page_bytes));
}

}  // namespace

ReportSummary write_report(const ReportInput& input) {
  const ReportData data = read_report_data(input.folder);
  std::vector<Figure> figures;
  ReportSummary out;
  for (const Entry& entry : kFigures) {
    if (!entry.fits(data)) continue;
    figures.push_back(entry.make(data));
    out.slugs.push_back(figures.back().slug);
  }
  out.index = input.folder / "report" / "index.html";
  write_folder_atomic(input.folder / "report", [&](const fs::path& folder) {
    fs::create_directories(folder / "fig");
    for (const auto& f : figures) write_figure(folder / "fig", f, data);
    const std::string html = page_within(make_page(data, figures), input.page_bytes);
    out.bytes = static_cast<int64_t>(html.size());
    write_text(folder / "index.html", html);
    if (!input.compare.empty()) write_comparison(folder, data, input);
  });
  return out;
}

}  // namespace switchyard
