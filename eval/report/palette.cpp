#include "eval/report/palette.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>

#include "core/base/text.h"

namespace switchyard {
namespace {

using Colour = std::array<double, 3>;

constexpr char kGrey[] = "#9aa2ab";  // of both themes

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

double to_linear(double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); }
double to_srgb(double c) {
  return c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
}

int level_of(const std::string& hex, size_t i) {
  return std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16);
}

Colour linear_of(const std::string& hex) {
  Colour out;
  for (size_t i = 0; i < 3; ++i) out[i] = to_linear(level_of(hex, i) / 255.0);
  return out;
}

// OKLab (Ottosson 2020).
Colour oklab_of(const std::string& hex) {
  const auto [r, g, b] = linear_of(hex);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

std::string hex_of(const Colour& lab) {
  const double l = std::pow(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2], 3);
  const double m = std::pow(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2], 3);
  const double s = std::pow(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2], 3);
  const Colour rgb = {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                      -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
  std::string out = "#";
  for (double c : rgb) {
    char text[8];
    std::snprintf(
        text, sizeof text, "%02x",
        static_cast<int>(std::lround(255 * std::clamp(to_srgb(std::max(c, 0.0)), 0.0, 1.0))));
    out += text;
  }
  return out;
}

/// `count` colours through stops at the given positions (0 .. count-1).
std::vector<std::string> ramp(const std::vector<std::string>& stops, const std::vector<int>& at) {
  std::vector<std::string> out;
  for (size_t s = 0; s + 1 < stops.size(); ++s) {
    const Colour a = oklab_of(stops[s]), b = oklab_of(stops[s + 1]);
    for (int i = at[s]; i < at[s + 1] + (s + 2 == stops.size() ? 1 : 0); ++i) {
      const double f = static_cast<double>(i - at[s]) / (at[s + 1] - at[s]);
      out.push_back(
          hex_of({a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1]), a[2] + f * (b[2] - a[2])}));
    }
  }
  return out;
}

double luminance(const std::string& hex) {
  const auto [r, g, b] = linear_of(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

double contrast(const std::string& a, const std::string& b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

std::string ink_on(const std::string& cell) {
  return contrast(cell, "#171a1e") >= contrast(cell, "#ffffff") ? "#171a1e" : "#ffffff";
}

std::vector<std::string> share_ramp(bool dark) {
  auto out = dark ? ramp({"#171a1d", "#323639"}, {0, 7}) : ramp({"#f7f9fc", "#d4d7d9"}, {0, 7});
  const auto hue = ramp(words(dark ? "#2b467a #047194 #189b9b #42c68d #bbdd8d #f5eeb0"
                                   : "#9bdef6 #63b6e1 #3d8bc5 #2e61a0 #253a71 #1c224b"),
                        {0, 4, 8, 12, 16, 19});
  out.insert(out.end(), hue.begin(), hue.end());
  return out;
}

std::vector<std::string> diverging_ramp(bool dark) {
  return ramp(words(dark ? "#74b8fc #1c1e21 #f19c4a" : "#105eb1 #f5f7f9 #904902"), {0, 10, 20});
}

std::vector<std::string> plain_ramp(bool dark) {
  return ramp(words(dark ? "#151e2f #038e81 #dde0bb" : "#e7f6fd #5494d0 #2d3a6d"), {0, 10, 20});
}

using Variables = std::vector<std::pair<std::string, std::string>>;

void add_cells(Variables& out, const std::string& letter, const std::vector<std::string>& colours) {
  for (size_t i = 0; i < colours.size(); ++i) {
    out.emplace_back(letter + std::to_string(i), colours[i]);
    out.emplace_back("on-" + letter + std::to_string(i), ink_on(colours[i]));
  }
}

Variables variables(bool dark) {
  const auto names = words("bg panel ink ink2 ink3 rule grid band accent warn tint unseen grey");
  const auto values = words(
      std::string(
          dark ? "#0f1216 #171b21 #e9ebee #bcc3cb #949da7 #2d343d #232931 #262d36 #86bde6 #ff8d7d "
                 "#2a2414 #e6bd63 "
               : "#f7f7f5 #ffffff #171a1e #454c54 #656d76 #d9dde1 #eceef0 #e9ebee #1b5e8a #a8261c "
                 "#fdf6e7 #7a5200 ") +
      kGrey);
  Variables out;
  for (size_t i = 0; i < names.size(); ++i) out.emplace_back(names[i], values[i]);
  for (size_t i = 0; i < 16; ++i)
    out.emplace_back("e" + std::to_string(i), expert_colours(dark)[i]);
  add_cells(out, "s", share_ramp(dark));
  add_cells(out, "d", diverging_ramp(dark));
  add_cells(out, "q", plain_ramp(dark));
  return out;
}

std::string fill_rules(const std::string& letter, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const std::string name = letter + std::to_string(i);
    out += "." + name + "{fill:var(--" + name + ")}.on-" + name + "{fill:var(--on-" + name + ")}";
  }
  return out;
}

}  // namespace

const std::vector<std::string>& expert_colours(bool dark) {
  static const auto light = words(
      "#2736a4 #be7125 #6ca083 #73176f #595512 #b52c57 #027495 #9e68d1 #242306 #d99cfe #373d22 "
      "#500744 #7344cd "
      "#a6b4bd #5ac476 #fc8622");
  static const auto night = words(
      "#5370ec #d99a1e #0ebba0 #aa68a4 #f6dc2e #c8551d #aaf0f6 #b8a6f6 #784961 #3b50ac #a33718 "
      "#e9fcb2 #58e3a8 "
      "#708064 #898ade #f7b867");
  return dark ? night : light;
}

std::string theme_variables(bool dark) {
  std::string out;
  for (const auto& [name, value] : variables(dark)) out += "--" + name + ":" + value + ";";
  return out;
}

std::string figure_rules() {
  std::string out =
      "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Inter,'Noto Sans','Liberation "
      "Sans',sans-serif;"
      "font-size:11.5px;fill:var(--ink2);font-variant-numeric:tabular-nums}"
      "text.b{font-weight:650;fill:var(--ink)}text.s{font-size:10.5px}text.i{fill:var(--ink)}text."
      "g{fill:var(--ink3)}"
      "text.u{font-weight:650;fill:var(--unseen)}text.w{font-weight:650;fill:var(--warn)}"
      "text.a{font-weight:650;fill:var(--accent)}"
      "path,circle{fill:none}.grid{stroke:var(--grid)}.axis{stroke:var(--rule)}.zero{stroke:var(--"
      "ink3)}"
      ".null{stroke:var(--ink3);stroke-dasharray:4 3}.main{stroke:var(--accent);stroke-width:2}"
      ".dark{stroke:var(--ink);stroke-width:1.8}.mid{stroke:var(--ink3);stroke-width:1.5}"
      ".thin{stroke:var(--ink3);stroke-width:1;opacity:.55}.frame{stroke:var(--ink);stroke-width:1."
      "4;fill:none}"
      ".bar{stroke:var(--ink);stroke-width:3}.bar2{stroke:var(--ink3);stroke-width:3}"
      ".bara{stroke:var(--accent);stroke-width:3}.dot{fill:var(--ink)}.dot2{fill:var(--ink3)}"
      ".dota{fill:var(--accent)}.hollow{fill:var(--panel);stroke:var(--ink3);stroke-width:1.5}"
      ".hollowa{fill:var(--panel);stroke:var(--accent);stroke-width:1.5}"
      ".seed{fill:var(--grey)}.tint{fill:var(--tint)}.back{fill:var(--band)}.backa{fill:var(--"
      "accent);opacity:.15}"
      ".panel{fill:var(--panel)}.x{fill:var(--grey)}.hatch{stroke:var(--ink3);stroke-width:.8}"
      ".cell{shape-rendering:crispEdges}.off{display:none}"
      ".ribbon{opacity:.5}.halo{paint-order:stroke;stroke:var(--panel);stroke-width:3}"
      ".pixels{image-rendering:pixelated}.under{filter:grayscale(1)}.patch{opacity:";
  out += cat(kPatchOpacity);
  out +=
      ";shape-rendering:crispEdges}"
      ".kx{stroke:var(--grey)}.splat{stroke-width:2;shape-rendering:crispEdges}";
  out += fill_rules("s", kShareLevels) + fill_rules("d", kDivergingLevels) +
         fill_rules("q", kPlainLevels);
  for (int i = 0; i < 16; ++i) {
    const std::string n = std::to_string(i);
    out += ".e" + n + "{fill:var(--e" + n + ")}.k" + n + "{stroke:var(--e" + n + ");fill:none}";
  }
  return out;
}

std::string literal_sheet() {
  std::string rules = figure_rules(), out;
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : variables(false)) values[name] = value;
  size_t at = 0;
  for (size_t found; (found = rules.find("var(--", at)) != std::string::npos;) {
    const size_t end = rules.find(')', found);
    out += rules.substr(at, found - at) + values.at(rules.substr(found + 6, end - found - 6));
    at = end + 1;
  }
  return out + rules.substr(at);
}

std::string share_class(double share, double experts, double k) {
  const double r = share * experts;
  if (!std::isfinite(r)) return "s0";
  if (r < 1) return "s" + std::to_string(static_cast<int>(r * kShareGreys));
  const double top = std::max(std::log2(experts / std::max(k, 1.0)), 1.0);
  const int level = static_cast<int>(std::log2(r) / top * 19 + 0.5);
  return "s" + std::to_string(kShareGreys + std::min(level, 19));
}

std::string diverging_class(double x, double range) {
  if (!std::isfinite(x)) return "d10";
  return "d" +
         std::to_string(10 + static_cast<int>(std::lround(10 * std::clamp(x / range, -1.0, 1.0))));
}

std::string plain_class(double x) {
  if (!std::isfinite(x)) return "q0";
  return "q" + std::to_string(static_cast<int>(std::lround(20 * std::clamp(x, 0.0, 1.0))));
}

std::string text_on(const std::string& cell_class) { return "on-" + cell_class; }

namespace {
bool has_colour(long track) { return track >= 0 && track < 16; }
}  // namespace

std::string expert_class(long track) {
  return !has_colour(track) ? "x" : "e" + std::to_string(track);
}

std::string expert_stroke_class(long track) {
  return !has_colour(track) ? "kx" : "k" + std::to_string(track);
}

std::array<int, 3> expert_rgb(long track) {
  const std::string hex = has_colour(track) ? expert_colours(false)[size_t(track)] : kGrey;
  return {level_of(hex, 0), level_of(hex, 1), level_of(hex, 2)};
}

}  // namespace switchyard
