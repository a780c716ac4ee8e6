#pragma once
// What every figure hands to the page and to its files.

#include <string>
#include <vector>

#include "eval/report/cloud.h"
#include "eval/report/svg.h"

namespace switchyard {

/// One way to look at a figure. Views with a label become buttons; frames follow the layer slider.
struct FigureView {
  std::string id, label;
  std::vector<Svg> panels;
  int64_t layer = -1;            ///< -1: not tied to a layer
  std::string note;              ///< sentence above the panels, plain text
  std::vector<Svg> legend = {};  ///< in a row of its own above the panels
};

struct Figure {
  std::string slug, number, title;
  std::string section;     ///< "answer", "routing", "look", "training" or "provenance"
  std::string reading;     ///< how to read it: one or two sentences
  std::string finding;     ///< what it shows here; also the label of the drawing
  std::string definition;  ///< folded below the plot
  std::string sample;      ///< how much data: "5 seeds"
  std::string unit;
  std::string empty;   ///< text instead of the plot; status becomes "empty"
  std::string how;     ///< command that records the missing data
  std::string legend;  ///< HTML below the panels
  std::string html;    ///< HTML instead of or below the panels (tables, viewers)
  int span = 6;        ///< of 12 columns
  int64_t default_layer = -1;
  std::string default_view;  ///< empty: the first
  std::vector<FigureView> views;
  std::vector<Cloud> clouds;  ///< of the viewer above the panels
  std::string cloud_picture;  ///< viewBox of the cloud inside its panel
  std::string csv;
  std::vector<std::pair<std::string, std::string>> files;  ///< further files beside: name, bytes
  std::string data = "{}";                                 ///< JSON text of "data"

  std::string status() const { return empty.empty() ? "ok" : "empty"; }
  /// The view in files and on the page before any script runs.
  const FigureView* shown() const;
};

/// Tidy CSV: a header and one value per row; undefined numbers are empty cells.
class Csv {
 public:
  explicit Csv(const std::string& header) : text_(header + "\n") {}
  Csv& cell(const std::string& text);
  Csv& cell(int64_t value) { return raw(std::to_string(value)); }
  Csv& cell(double value);
  void end();
  const std::string& text() const { return text_; }

 private:
  Csv& raw(const std::string& text);
  std::string text_;
  bool first_ = true;
};

}  // namespace switchyard
