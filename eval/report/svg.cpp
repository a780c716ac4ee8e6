#include "eval/report/svg.h"

#include <algorithm>
#include <cmath>

#include "eval/report/number.h"

namespace switchyard {

std::string escape_xml(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (static_cast<unsigned char>(c) >= 32 || c == '\n')
      out += c;
  }
  return out;
}

namespace {
std::string class_attribute(const std::string& classes) {
  return classes.empty() ? "" : " class=\"" + classes + "\"";
}
}  // namespace

std::string Svg::data_attributes(const std::string& tip) const {
  std::string out;
  if (!tip.empty()) out += " data-tip=\"" + escape_xml(tip) + "\"";
  if (!expert_.empty()) out += " data-expert=\"" + expert_ + "\"";
  return out;
}

void Svg::tag(const std::string& head, const std::string& classes, const std::string& tip) {
  body_ += "<" + head + class_attribute(classes) + data_attributes(tip) + "/>";
}

void Svg::rect(double x, double y, double w, double h, const std::string& classes,
               const std::string& tip) {
  tag("rect x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" width=\"" + svg_number(w) +
          "\" height=\"" + svg_number(h) + "\"",
      classes, tip);
}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& classes) {
  tag("path d=\"M" + svg_number(x1) + " " + svg_number(y1) + "L" + svg_number(x2) + " " +
          svg_number(y2) + "\"",
      classes, "");
}

void Svg::circle(double x, double y, double r, const std::string& classes, const std::string& tip) {
  tag("circle cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) + "\" r=\"" + svg_number(r) +
          "\"",
      classes, tip);
}

void Svg::path(const std::string& d, const std::string& classes, const std::string& tip) {
  if (!d.empty()) tag("path d=\"" + d + "\"", classes, tip);
}

void Svg::text(double x, double y, const std::string& text, const std::string& classes,
               const std::string& anchor) {
  body_ +=
      "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\"" + class_attribute(classes);
  if (anchor != "start") body_ += " text-anchor=\"" + anchor + "\"";
  body_ += data_attributes("") + ">" + escape_xml(text) + "</text>";
}

void Svg::image(double x, double y, double w, double h, const std::string& uri,
                const std::string& id) {
  body_ += "<image x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" width=\"" +
           svg_number(w) + "\" height=\"" + svg_number(h) +
           "\" preserveAspectRatio=\"none\" class=\"pixels\"";
  if (!id.empty()) body_ += " id=\"" + id + "\"";
  body_ += " href=\"" + uri + "\"/>";
}

void Svg::use(const std::string& id, double dx, const std::string& classes) {
  body_ +=
      "<use href=\"#" + id + "\" x=\"" + svg_number(dx) + "\"" + class_attribute(classes) + "/>";
}

void Svg::place(const Svg& other, double x, double y) {
  body_ += "<g transform=\"translate(" + svg_number(x) + " " + svg_number(y) + ")\">" +
           other.body_ + "</g>";
}

std::string Svg::element(const std::string& label, const std::string& sheet) const {
  const std::string w = svg_number(width_), h = svg_number(height_);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
                    "\" viewBox=\"0 0 " + w + " " + h + "\" role=\"img\" aria-label=\"" +
                    escape_xml(label) + "\"";
  if (domain_ >= 0) out += " data-domain=\"" + std::to_string(domain_) + "\"";
  out += ">";
  if (!sheet.empty()) out += "<style>" + sheet + "</style>";
  return out + body_ + "</svg>";
}

std::string polyline(const std::vector<double>& x, const std::vector<double>& y) {
  std::string out;
  bool pen = false;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool here = std::isfinite(y[i]);
    if (here) out += (pen ? "L" : "M") + svg_number(x[i]) + " " + svg_number(y[i]);
    pen = here;
  }
  return out;
}

std::string band(const std::vector<double>& x, const std::vector<double>& lo,
                 const std::vector<double>& hi) {
  std::string there, back;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(lo[i]) || !std::isfinite(hi[i])) continue;
    there += (there.empty() ? "M" : "L") + svg_number(x[i]) + " " + svg_number(hi[i]);
    back = "L" + svg_number(x[i]) + " " + svg_number(lo[i]) + back;
  }
  return there.empty() ? "" : there + back + "Z";
}

Svg flow_panels(const std::vector<Svg>& panels, double width) {
  double x = 0, y = 0, row = 0, widest = 1;
  std::vector<std::pair<double, double>> at;
  for (const Svg& panel : panels) {
    if (x > 0 && x + panel.width() > width) x = 0, y += row + 10, row = 0;
    at.emplace_back(x, y);
    x += panel.width() + 8;
    row = std::max(row, panel.height());
    widest = std::max(widest, x - 8);
  }
  Svg out(widest, y + row);
  for (size_t i = 0; i < panels.size(); ++i) out.place(panels[i], at[i].first, at[i].second);
  return out;
}

}  // namespace switchyard
