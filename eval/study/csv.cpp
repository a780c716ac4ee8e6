#include "eval/study/csv.h"

#include "eval/analysis/stats.h"

namespace switchyard {

std::string csv_cell(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return to_text(value.get<int64_t>());
  if (value.is_number()) return defined(value.get<double>()) ? to_text(value.get<double>()) : "";
  const std::string text = value.get<std::string>();
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace switchyard
