#pragma once
// Small text helpers, so that no public header needs a formatting library.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace switchyard {

inline std::string to_text(std::string_view s) { return std::string(s); }
inline std::string to_text(const char* s) { return s; }
template <std::same_as<bool> B>  // a template, so that no pointer turns into a bool
std::string to_text(B b) {
  return b ? "true" : "false";
}
/// Shortest decimal that reads back as the same double ("0.1", "1e-05", "nan").
std::string to_text(double x);
inline std::string to_text(float x) { return to_text(static_cast<double>(x)); }
template <class I>
requires(std::is_integral_v<I> && !std::is_same_v<I, bool>) std::string to_text(I i) {
  return std::to_string(i);
}
/// "[2, 3]"
std::string to_text(const std::vector<int64_t>& shape);

/// Joins the texts of all arguments: cat("got ", 3, ", expected ", 4).
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  ((out += to_text(parts)), ...);
  return out;
}

/// "a, b, c"
std::string join(const std::vector<std::string>& items, std::string_view separator = ", ");
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

/// At most `count` of `names` in rising edit distance to `name`; only plausible typing errors.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& names,
                                       size_t count = 3);

}  // namespace switchyard
