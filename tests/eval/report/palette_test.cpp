// The figures of the palette's search (report-design 2), recomputed from the colours themselves.

#include "eval/report/palette.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/base/text.h"
#include "tests/test.h"

using namespace switchyard;

namespace {

using Colour = std::array<double, 3>;
using Matrix = std::array<Colour, 3>;

// Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
constexpr Matrix kNormal{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr Matrix kProtan{{{0.152286, 1.052583, -0.204868},
                          {0.114503, 0.786281, 0.099216},
                          {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kDeutan{{{0.367322, 0.860646, -0.227968},
                          {0.280085, 0.672501, 0.047413},
                          {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix kTritan{{{1.255528, -0.076749, -0.178779},
                          {-0.078411, 0.930809, 0.147602},
                          {0.004733, 0.691367, 0.303900}}};

Colour times(const Matrix& m, const Colour& v) {
  Colour out{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) out[i] += m[i][j] * v[j];
  return out;
}

Colour linear(const std::string& hex) {
  Colour out;
  for (size_t i = 0; i < 3; ++i) {
    const double c = std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    out[i] = c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  }
  return out;
}

/// OKLab (Ottosson 2020) of a colour as seen with the given vision.
Colour seen(const std::string& hex, const Matrix& vision) {
  Colour rgb = times(vision, linear(hex));
  for (double& c : rgb) c = std::clamp(c, 0.0, 1.0);
  Colour lms = times({{{0.4122214708, 0.5363325363, 0.0514459929},
                       {0.2119034982, 0.6806995451, 0.1073969566},
                       {0.0883024619, 0.2817188376, 0.6299787005}}},
                     rgb);
  for (double& c : lms) c = std::cbrt(c);
  return times({{{0.2104542553, 0.7936177850, -0.0040720468},
                 {1.9779984951, -2.4285922050, 0.4505937099},
                 {0.0259040371, 0.7827717662, -0.8086757660}}},
               lms);
}

/// Distance of every colour to its nearest neighbour.
std::vector<double> nearest_distances(const std::vector<std::string>& colours,
                                      const Matrix& vision) {
  std::vector<double> out(colours.size(), 1e9);
  for (size_t i = 0; i < colours.size(); ++i)
    for (size_t j = 0; j < colours.size(); ++j) {
      const Colour a = seen(colours[i], vision), b = seen(colours[j], vision);
      if (i != j) out[i] = std::min(out[i], std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
    }
  return out;
}

double contrast(const std::string& a, const std::string& b) {
  const auto luminance = [](const std::string& hex) {
    const Colour c = linear(hex);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05;
  };
  return std::max(luminance(a), luminance(b)) / std::min(luminance(a), luminance(b));
}

double least_contrast(const std::vector<std::string>& colours, const std::string& ground) {
  double least = 1e9;
  for (const auto& colour : colours) least = std::min(least, contrast(colour, ground));
  return least;
}

std::vector<std::string> experts(bool dark, size_t count) {
  const auto& all = expert_colours(dark);
  return {all.begin(), all.begin() + static_cast<int64_t>(count)};
}

std::map<std::string, std::string> theme(bool dark) {
  std::map<std::string, std::string> out;
  for (const auto& rule : split(theme_variables(dark), ';'))
    if (const auto parts = split(rule, ':'); parts.size() == 2) out[parts[0].substr(2)] = parts[1];
  return out;
}

constexpr const Matrix* kVisions[] = {&kNormal, &kProtan, &kDeutan, &kTritan};

void check_least(const std::vector<std::string>& colours, const std::array<double, 4>& expected) {
  for (size_t v = 0; v < 4; ++v) {
    const auto nearest = nearest_distances(colours, *kVisions[v]);
    INFO("vision " << v);
    CHECK(*std::min_element(nearest.begin(), nearest.end()) == Approx(expected[v]).margin(0.0006));
  }
}

/// Means move with every colour, also with one that is far from being the worst.
void check_means(const std::vector<std::string>& colours, const std::array<double, 4>& expected) {
  for (size_t v = 0; v < 4; ++v) {
    const auto nearest = nearest_distances(colours, *kVisions[v]);
    INFO("vision " << v);
    CHECK(std::accumulate(nearest.begin(), nearest.end(), 0.0) /
              static_cast<double>(nearest.size()) ==
          Approx(expected[v]).margin(0.0001));
  }
}

}  // namespace

TEST_CASE("eight expert colours stay apart under four kinds of vision", "[report][palette]") {
  check_least(experts(false, 8), {0.162, 0.096, 0.096, 0.106});
  check_least(experts(true, 8), {0.167, 0.121, 0.108, 0.119});
  CHECK(least_contrast(experts(false, 8), theme(false).at("panel")) >= 3.0);
  CHECK(least_contrast(experts(true, 8), theme(true).at("panel")) >= 3.9);
  // The same yardstick on a palette that was not searched for: Okabe and Ito's.
  check_least(
      {"#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"},
      {0.156, 0.096, 0.076, 0.085});
}

TEST_CASE("sixteen expert colours stay apart, with less contrast", "[report][palette]") {
  check_least(experts(false, 16), {0.0971, 0.0913, 0.0843, 0.0842});
  check_least(experts(true, 16), {0.0993, 0.0927, 0.0828, 0.0811});
  CHECK(least_contrast(experts(false, 16), theme(false).at("panel")) == Approx(2.07).margin(0.01));
  CHECK(least_contrast(experts(true, 16), theme(true).at("panel")) == Approx(2.41).margin(0.01));
}

TEST_CASE("no colour has changed", "[report][palette]") {
  check_means(experts(false, 8), {0.1704, 0.1063, 0.1019, 0.1155});
  check_means(experts(true, 8), {0.1781, 0.1496, 0.1358, 0.1343});
  check_means(experts(false, 16), {0.1227, 0.0983, 0.0956, 0.0974});
  check_means(experts(true, 16), {0.1144, 0.1002, 0.0991, 0.0989});
}

TEST_CASE("text keeps its contrast on every ground it stands on", "[report][palette]") {
  for (bool dark : {false, true}) {
    const auto colours = theme(dark);
    for (const char* ink : {"ink", "ink2", "ink3", "accent", "warn", "unseen"})
      for (const char* ground : {"panel", "bg"}) {
        INFO((dark ? "dark " : "light ") << ink << " on " << ground);
        CHECK(contrast(colours.at(ink), colours.at(ground)) >= (dark ? 5.6 : 4.87));
      }
    CHECK(contrast(colours.at("unseen"), colours.at("tint")) >= (dark ? 5.6 : 4.87));
    for (const auto& [name, colour] : colours)
      if (name.rfind("on-", 0) == 0) {
        INFO((dark ? "dark " : "light ") << name);
        CHECK(contrast(colour, colours.at(name.substr(3))) >= 4.0);
      }
  }
}

TEST_CASE("lightness is monotone over the share scale", "[report][palette]") {
  for (bool dark : {false, true}) {
    const auto colours = theme(dark);
    for (int i = 1; i < kShareLevels; ++i) {
      const double step =
          seen(colours.at(cat("s", i)), kNormal)[0] - seen(colours.at(cat("s", i - 1)), kNormal)[0];
      INFO((dark ? "dark " : "light ") << i);
      CHECK((dark ? step : -step) > 0);
    }
  }
}
