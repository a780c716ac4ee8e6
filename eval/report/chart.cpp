#include "eval/report/chart.h"

#include <algorithm>
#include <cmath>

#include "eval/report/number.h"

namespace switchyard {

Chart::Chart(const ChartAxes& axes) : axes_(axes), svg_(axes.width, axes.height) {
  if (!axes.y_title.empty()) svg_.text(0, 12, axes.y_title, "s g");
  if (!axes.x_title.empty())
    svg_.text((axes.left + axes.width - axes.right) / 2, axes.height - 4, axes.x_title, "s g",
              "middle");
}

double Chart::x(double value) const {
  const double span = std::max(axes_.x_hi - axes_.x_lo, 1e-12);
  return axes_.left + (value - axes_.x_lo) / span * (axes_.width - axes_.left - axes_.right);
}

double Chart::y(double value) const {
  const double span = std::max(axes_.y_hi - axes_.y_lo, 1e-12);
  return axes_.height - axes_.bottom -
         (value - axes_.y_lo) / span * (axes_.height - axes_.top - axes_.bottom);
}

void Chart::y_tick(double value, const std::string& label) {
  svg_.line(axes_.left, y(value), axes_.width - axes_.right, y(value), "grid");
  svg_.text(axes_.left - 8, y(value) + 4, label, "s", "end");
}

void Chart::y_ticks(int count, int decimals) {
  for (double value : round_ticks(axes_.y_lo, axes_.y_hi, count))
    y_tick(value, fixed_text(value, decimals));
}

void Chart::y_ticks(const std::vector<double>& at) {
  const auto labels = tick_labels(at);
  for (size_t i = 0; i < at.size(); ++i) y_tick(at[i], labels[i]);
}

void Chart::x_ticks(const std::vector<double>& at, const std::vector<std::string>& labels) {
  for (size_t i = 0; i < at.size(); ++i)
    svg_.text(x(at[i]), axes_.height - axes_.bottom + 16, labels[i], "s", "middle");
}

void Chart::layer_ticks(int64_t layers) {
  const int64_t step = std::max<int64_t>(1, (layers + 12) / 13);
  for (int64_t l = 0; l < layers; l += step) x_ticks({static_cast<double>(l)}, {std::to_string(l)});
}

void Chart::curve(const std::vector<double>& xs, const std::vector<double>& ys,
                  const std::string& classes) {
  std::vector<double> px(xs.size()), py(ys.size());
  for (size_t i = 0; i < xs.size(); ++i) px[i] = x(xs[i]), py[i] = y(ys[i]);
  svg_.path(polyline(px, py), classes);
}

void Chart::area(const std::vector<double>& xs, const std::vector<double>& lo,
                 const std::vector<double>& hi, const std::string& classes) {
  std::vector<double> px(xs.size()), plo(xs.size()), phi(xs.size());
  for (size_t i = 0; i < xs.size(); ++i) px[i] = x(xs[i]), plo[i] = y(lo[i]), phi[i] = y(hi[i]);
  svg_.path(band(px, plo, phi), classes);
}

void Chart::mark(double at, double value, double r, const std::string& classes,
                 const std::string& tip) {
  if (std::isfinite(value)) svg_.circle(x(at), y(value), r, classes, tip);
}

void Chart::end_labels(std::vector<Label> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.y > b.y; });
  std::vector<double> at;
  for (const auto& label : labels)
    at.push_back(std::max(y(label.y) + 4, at.empty() ? -1e9 : at.back() + 14));
  double limit = axes_.height - axes_.bottom + 8;
  for (size_t i = at.size(); i-- > 0; limit = at[i] - 14) at[i] = std::min(at[i], limit);
  for (size_t i = 0; i < labels.size(); ++i)
    svg_.text(axes_.width - axes_.right + 8, at[i], labels[i].text, labels[i].classes);
}

std::vector<double> layer_positions(int64_t layers) {
  std::vector<double> out;
  for (int64_t l = 0; l < layers; ++l) out.push_back(static_cast<double>(l));
  return out;
}

}  // namespace switchyard
