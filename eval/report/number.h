#pragma once
// Numbers as the report prints them: true minus sign, never "−0.0", thin groups, no-break space
// before %. Undefined values print as an en dash.

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard {

/// Fixed decimals: "41.3", "−2.0".
std::string fixed_text(double x, int decimals);
/// With "+" or "−", "0.0" for zero.
std::string signed_text(double x, int decimals);
/// 4800 -> "4 800".
std::string count_text(int64_t n);
/// 0.123 -> "12 %"; positive values under half a unit print as "< 1 %".
std::string percent_text(double share, int decimals = 0);
/// Bits or NMI: 2 decimals, 3 below 0.095.
std::string information_text(double x);
/// "2.3×"
std::string ratio_text(double x);
/// Coordinate in SVG: at most 2 decimals, plain minus.
std::string svg_number(double x);
/// About `count` round values from lo to hi (steps 1, 2, 5 times a power of ten).
std::vector<double> round_ticks(double lo, double hi, int count);
/// Labels of evenly spaced ticks with just the decimals that tell them apart.
std::vector<std::string> tick_labels(const std::vector<double>& ticks);
/// Names longer than `limit` characters lose their middle.
std::string short_name(const std::string& name, size_t limit = 22);
/// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& items);

}  // namespace switchyard
