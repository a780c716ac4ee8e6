#include "eval/report/page.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/io/json.h"
#include "eval/report/keys.h"
#include "eval/report/palette.h"

namespace switchyard {
namespace {

struct Section {
  const char *id, *title;
};
constexpr Section kSections[] = {{"answer", "Answer"},
                                 {"routing", "Routing"},
                                 {"look", "Look at samples"},
                                 {"training", "Training"},
                                 {"provenance", "Provenance"}};

bool has(const Page& page, const Section& section) {
  return std::any_of(page.figures.begin(), page.figures.end(),
                     [&](const auto& f) { return f.section == section.id; });
}

std::string bar(const Page& page) {
  std::string out = "<header class=\"bar\"><strong>switchyard</strong><nav>";
  for (const auto& s : kSections)
    if (has(page, s)) out += cat("<a href=\"#", s.id, "\">", split(s.title, ' ').front(), "</a>");
  out += "</nav><span class=\"grow\"></span>";
  if (page.layer_names.size() > 1)
    out += cat("<label class=\"slider\">layer <input id=\"layer\" type=\"range\" min=\"0\" max=\"",
               page.layer_names.size() - 1, "\" value=\"", page.layer,
               "\"><output id=\"layer-name\">layer ", page.layer, "</output></label>");
  return out +
         "<button id=\"theme\" type=\"button\">light / dark</button><button id=\"help\" "
         "type=\"button\" aria-label=\"keys\">?</button></header>";
}

std::string head(const Page& page) {
  std::string out = cat("<section class=\"title\"><h1>", escape_xml(page.title),
                        "</h1><span class=\"sub\">", escape_xml(page.subtitle), "</span>");
  if (!page.badge.empty()) out += cat("<span class=\"badge\">", escape_xml(page.badge), "</span>");
  out += "</section><section class=\"answers\">";
  for (const auto& a : page.answers)
    out +=
        cat("<div class=\"answer\"><h2>", escape_xml(a.question), "</h2><p>", a.html, "</p></div>");
  return out + "</section>";
}

std::string view_buttons(const Figure& f) {
  std::string out;
  for (const auto& view : f.views) {
    if (view.label.empty()) continue;
    out += cat("<button type=\"button\" data-show=\"", view.id, "\" aria-pressed=\"",
               &view == f.shown() ? "true" : "false", "\">", escape_xml(view.label), "</button>");
  }
  return out.empty() ? out : "<span class=\"views\">" + out + "</span>";
}

std::string plots(const Figure& f) {
  std::string out;
  for (const auto& view : f.views) {
    out += cat("<div class=\"view\" data-view=\"", view.id, "\"");
    if (view.layer >= 0) out += cat(" data-layer=\"", view.layer, "\"");
    out += &view == f.shown() ? ">" : " hidden>";
    if (!view.note.empty()) out += cat("<p class=\"note\">", escape_xml(view.note), "</p>");
    const std::string label = f.title + (f.finding.empty() ? "" : ". " + f.finding);
    for (const auto* row : {&view.legend, &view.panels}) {
      if (row->empty()) continue;
      out += "<div class=\"plot\">";
      for (const auto& panel : *row) out += panel.element(label);
      out += "</div>";
    }
    out += "</div>";
  }
  return out;
}

std::string links(const Figure& f, bool png_files) {
  std::string out = "<span class=\"links\">";
  for (const char* kind : {"svg", "csv", "json"}) {
    if (f.shown() == nullptr && std::string(kind) == "svg") continue;
    out += cat("<a href=\"fig/", f.slug, ".", kind, "\">", kind, "</a>");
  }
  if (f.shown() != nullptr && png_files) out += cat("<a href=\"fig/", f.slug, ".png\">png</a>");
  if (f.shown() != nullptr)
    out += cat("<button type=\"button\" data-png hidden title=\"what the card shows, light\">",
               png_files ? "png as shown" : "png", "</button>");
  return out + "</span>";
}

std::string card(const Figure& f, bool png_files) {
  std::string out = cat("<article class=\"card span", f.span, "\" id=\"", f.slug, "\" data-slug=\"",
                        f.slug, "\"><h3><span class=\"no\">", f.number, "</span>",
                        escape_xml(f.title), view_buttons(f), "</h3>");
  if (!f.empty.empty()) {
    out += cat("<p class=\"empty\">", escape_xml(f.empty), "</p>");
    if (!f.how.empty()) out += cat("<pre class=\"how\">", escape_xml(f.how), "</pre>");
  } else {
    out += cat("<p class=\"reading\">", escape_xml(f.reading), "</p>");
    if (!f.finding.empty()) out += cat("<p class=\"finding\">", escape_xml(f.finding), "</p>");
    out += viewer_html(f.clouds, f.cloud_picture) + plots(f) + f.legend + f.html;
  }
  out += cat("<footer><details><summary>Definition</summary><p>", escape_xml(f.definition),
             "</p></details><span class=\"sample\">", escape_xml(f.sample), "</span>",
             links(f, png_files), "</footer></article>");
  return out;
}

std::string body(const Page& page) {
  std::string out;
  for (const auto& s : kSections) {
    if (!has(page, s)) continue;
    const bool first = std::string(s.id) == "answer";
    out +=
        cat("<section id=\"", s.id, "\">",
            first ? "" : cat("<h2 class=\"section\">", s.title, "</h2>"), "<div class=\"cards\">");
    for (const auto& f : page.figures)
      if (f.section == s.id) out += card(f, page.png_files);
    out += "</div></section>";
  }
  return out;
}

std::string style() {
  return cat("<style id=\"theme-rules\">:root{color-scheme:light;", theme_variables(false),
             "}@media(prefers-color-scheme:dark){:root{", "color-scheme:dark;",
             theme_variables(true), "}}:root[data-theme=light]{color-scheme:light;",
             theme_variables(false), "}:root[data-theme=dark]{color-scheme:dark;",
             theme_variables(true),
             "}@media print{:root,:root[data-theme=dark]{color-scheme:light;",
             theme_variables(false), "}}</style><style id=\"figure-rules\">", figure_rules(),
             "</style><style>", report_css(), "</style>");
}

/// What the script needs to know beside the markup.
std::string facts(const Page& page) {
  const Json json{{"layer", page.layer}, {"domains", page.domains}, {"tracks", page.tracks}};
  return cat("<script type=\"application/json\" id=\"facts\">", script_json(json.dump()),
             "</script>");
}

}  // namespace

std::string script_json(const std::string& json) {
  std::string out;
  for (char c : json) c == '<' ? out += "\\u003c" : out += c;
  return out;
}

std::string page_html(const Page& page) {
  std::string out = cat(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>",
      escape_xml(page.title), "</title>", style(), "</head><body>", bar(page), "<main>", head(page),
      body(page));
  if (!page.notes.empty()) {
    out += "<section class=\"notes\">";
    for (const auto& note : page.notes) out += cat("<p>", escape_xml(note), "</p>");
    out += "</section>";
  }
  return out +
         "</main><div id=\"tip\" aria-hidden=\"true\" hidden></div><p id=\"status\" "
         "role=\"status\"></p>" +
         keys_dialog(page.domains) + facts(page) + "<script>(() => {\n\"use strict\";\n" +
         report_js() + "})();\n</script></body></html>\n";
}

}  // namespace switchyard
