#pragma once
// The HTML page: bar, title, the two answers, cards by section.

#include <string>
#include <vector>

#include "eval/report/figure.h"

namespace switchyard {

struct Answer {
  std::string question, html;
};

struct Page {
  std::string title, subtitle, badge;  ///< badge: short warning beside the subtitle, may be empty
  std::vector<Answer> answers;
  std::vector<Figure> figures;
  std::vector<std::string> layer_names;  ///< of the slider; empty: none
  int64_t layer = 0;
  std::vector<std::string> domains;  ///< in the order of the panels: what the keys 1 to 9 toggle
  std::vector<std::vector<int64_t>> tracks;  ///< [layer][track] true expert, -1 none
  bool png_files = false;                    ///< fig/SLUG.png lie beside the page
  std::vector<std::string> notes;            ///< at the end
};

/// The page without JavaScript is complete: default layer, default views, all domains.
std::string page_html(const Page& page);

/// JSON that may stand inside a script element.
std::string script_json(const std::string& json);

/// The files of assets/, compiled in (cmake/Assets.cmake).
std::string report_css();
std::string report_js();

}  // namespace switchyard
