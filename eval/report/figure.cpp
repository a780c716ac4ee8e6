#include "eval/report/figure.h"

#include <cmath>

#include "core/base/text.h"

namespace switchyard {

const FigureView* Figure::shown() const {
  for (const auto& view : views)
    if (default_view.empty() ? view.layer == default_layer : view.id == default_view) return &view;
  return views.empty() ? nullptr : &views.front();
}

Csv& Csv::raw(const std::string& text) {
  if (!first_) text_ += ',';
  first_ = false;
  text_ += text;
  return *this;
}

Csv& Csv::cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return raw(text);
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return raw(out + "\"");
}

Csv& Csv::cell(double value) { return raw(std::isfinite(value) ? to_text(value) : ""); }

void Csv::end() {
  text_ += '\n';
  first_ = true;
}

}  // namespace switchyard
