#pragma once
// Axes and curves of a small chart: linear x and y, ticks, direct labels.

#include "eval/report/svg.h"

namespace switchyard {

struct ChartAxes {
  double width = 566, height = 220;
  double left = 44, right = 16, top = 28, bottom = 36;
  double x_lo = 0, x_hi = 1, y_lo = 0, y_hi = 1;
  std::string x_title, y_title;
};

class Chart {
 public:
  explicit Chart(const ChartAxes& axes);

  /// Horizontal grid lines with labels of `decimals` places.
  void y_ticks(int count, int decimals);
  /// The same at these values, with the decimals that tell them apart.
  void y_ticks(const std::vector<double>& at);
  void y_tick(double y, const std::string& label);
  void x_ticks(const std::vector<double>& at, const std::vector<std::string>& labels);
  /// Ticks 0 .. layers-1, thinned to at most 13 labels.
  void layer_ticks(int64_t layers);

  void curve(const std::vector<double>& x, const std::vector<double>& y,
             const std::string& classes);
  void area(const std::vector<double>& x, const std::vector<double>& lo,
            const std::vector<double>& hi, const std::string& classes);
  void mark(double x, double y, double r, const std::string& classes, const std::string& tip);
  double x(double value) const;
  double y(double value) const;

  struct Label {
    double y;  ///< in data units
    std::string text, classes;
  };
  /// Labels right of the plot, pushed apart.
  void end_labels(std::vector<Label> labels);
  Svg& svg() { return svg_; }
  const ChartAxes& axes() const { return axes_; }

 private:
  ChartAxes axes_;
  Svg svg_;
};

/// 0 .. n-1
std::vector<double> layer_positions(int64_t layers);

}  // namespace switchyard
