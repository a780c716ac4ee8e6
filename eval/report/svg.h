#pragma once
// Writes SVG bodies. Looks come from classes (palette.h) only, so that one drawing serves the page
// (CSS variables, two themes) and files (literal light colours).

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard {

/// For text and attributes of XML and HTML; control characters are dropped.
std::string escape_xml(const std::string& text);

class Svg {
 public:
  Svg(double width, double height) : width_(width), height_(height) {}

  void rect(double x, double y, double w, double h, const std::string& classes,
            const std::string& tip = "");
  void line(double x1, double y1, double x2, double y2, const std::string& classes);
  void circle(double x, double y, double r, const std::string& classes,
              const std::string& tip = "");
  void path(const std::string& d, const std::string& classes, const std::string& tip = "");
  /// `anchor`: start, middle or end.
  void text(double x, double y, const std::string& text, const std::string& classes = "",
            const std::string& anchor = "start");

  /// A picture, `uri` with its bytes, stretched to w x h. With an id, `use` shows it again `dx` to
  /// the right without the bytes.
  void image(double x, double y, double w, double h, const std::string& uri,
             const std::string& id = "");
  void use(const std::string& id, double dx, const std::string& classes);

  /// The elements that follow are about this expert ("L11.E3": layer and true index), so that the
  /// page can isolate it; "" ends it.
  void about(const std::string& expert) { expert_ = expert; }
  /// The whole drawing belongs to a domain (place in the page's order), so that the page can hide
  /// it.
  void of_domain(int64_t domain) { domain_ = domain; }

  double width() const { return width_; }
  double height() const { return height_; }
  const std::string& body() const { return body_; }
  /// Appends another drawing at an offset.
  void place(const Svg& other, double x, double y);
  /// The element; `sheet` is put inside a style element unless empty.
  std::string element(const std::string& label, const std::string& sheet = "") const;

 private:
  void tag(const std::string& head, const std::string& classes, const std::string& tip);
  std::string data_attributes(const std::string& tip) const;

  double width_, height_;
  int64_t domain_ = -1;
  std::string body_, expert_;
};

/// "M x y L x y ..." ; breaks at undefined values.
std::string polyline(const std::vector<double>& x, const std::vector<double>& y);
/// Closed area between two curves over the defined points.
std::string band(const std::vector<double>& x, const std::vector<double>& lo,
                 const std::vector<double>& hi);
/// Panels in rows of at most `width`.
Svg flow_panels(const std::vector<Svg>& panels, double width);

}  // namespace switchyard
