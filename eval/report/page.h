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
  std::vector<std::string> notes;  ///< at the end
};

std::string page_html(const Page& page);

/// Contents of report_css.cpp and report_js.cpp.
std::string report_css();
std::string report_js();

}  // namespace switchyard
