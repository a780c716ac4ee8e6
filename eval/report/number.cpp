#include "eval/report/number.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/text.h"

namespace switchyard {
namespace {

constexpr char kNone[] = "–";

std::string digits(double magnitude, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, magnitude);
  return text;
}

bool is_zero(const std::string& text) { return text.find_first_not_of("0.") == std::string::npos; }

}  // namespace

std::string fixed_text(double x, int decimals) {
  if (!std::isfinite(x)) return kNone;
  const std::string text = digits(std::abs(x), decimals);
  return x < 0 && !is_zero(text) ? "−" + text : text;
}

std::string signed_text(double x, int decimals) {
  const std::string text = fixed_text(x, decimals);
  return x > 0 && !is_zero(text) ? "+" + text : text;
}

std::string count_text(int64_t n) {
  std::string out = std::to_string(n);
  for (int64_t at = static_cast<int64_t>(out.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    out.insert(static_cast<size_t>(at), "\u2009");
  return out;
}

std::string percent_text(double share, int decimals) {
  if (!std::isfinite(share)) return kNone;
  const std::string text = digits(100 * share, decimals);
  if (share > 0 && is_zero(text))
    return "< " + digits(std::pow(10, -decimals), decimals) + "\u00a0%";
  return text + "\u00a0%";
}

std::string information_text(double x) { return fixed_text(x, x < 0.095 ? 3 : 2); }

std::string ratio_text(double x) {
  return std::isfinite(x) ? fixed_text(x, x < 0.1 ? 2 : 1) + "×" : kNone;
}

std::string svg_number(double x) {
  std::string text = digits(x, 2);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::vector<double> round_ticks(double lo, double hi, int count) {
  if (!(hi > lo) || count < 1) return {lo};
  const double rough = (hi - lo) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough * 0.999) step = factor * power;
  std::vector<double> out;
  for (double i = std::ceil(lo / step - 1e-9); i * step <= hi + 1e-9 * step; ++i)
    out.push_back(i * step);
  return out;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  if (ticks.empty()) return {};
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : std::abs(ticks[0]) / 100;
  const double largest = std::max(std::abs(ticks.front()), std::abs(ticks.back()));
  const int decimals =
      step > 0 ? std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))) : 0;
  std::vector<std::string> out;
  for (double x : ticks) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1e", std::abs(x));
    const bool plain = decimals <= 5 && largest < 1e6;
    out.push_back(plain ? fixed_text(x, decimals) : x < 0 ? cat("−", text) : text);
  }
  return out;
}

std::string short_name(const std::string& name, size_t limit) {
  std::vector<std::string> characters;
  for (char c : name) {
    if (characters.empty() || (static_cast<unsigned char>(c) & 0xC0) != 0x80)
      characters.emplace_back();
    characters.back() += c;
  }
  if (characters.size() <= limit) return name;
  std::string out;
  const size_t head = limit / 2, tail = limit - head - 1;
  for (size_t i = 0; i < head; ++i) out += characters[i];
  out += "…";
  for (size_t i = characters.size() - tail; i < characters.size(); ++i) out += characters[i];
  return out;
}

std::string listed(const std::vector<std::string>& items) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i)
    out += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  return out;
}

}  // namespace switchyard
