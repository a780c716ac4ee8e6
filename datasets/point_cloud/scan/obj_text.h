#pragma once
// Words and numbers of one OBJ or MTL line.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace switchyard::scan {

class ObjLine {
 public:
  /// `line` must outlive this object; `where` names file and line in messages.
  ObjLine(std::string_view line, const std::string& where) : rest_(trim(line)), where_(where) {}

  /// Next word, or "" at the end.
  std::string_view word() {
    const size_t end = std::min(rest_.find_first_of(" \t"), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_ = trim(rest_.substr(end));
    return out;
  }
  std::string_view rest() const { return rest_; }
  /// Errors: no finite number next.
  double number() {
    std::string_view text = word();
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    check(code == std::errc() && end == text.data() + text.size() && std::abs(value) < 1e15, where_,
          "not a usable number: got '", text, "'");
    return value;
  }

 private:
  std::string_view rest_;
  const std::string& where_;
};

}  // namespace switchyard::scan
