#include "datasets/point_cloud/number_rows.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <charconv>

#include "core/base/log.h"
#include "core/io/file.h"
#include "core/io/printable.h"

namespace switchyard {
namespace {

constexpr unsigned char kLostBit = 0x20;

bool lost_its_bit(unsigned char byte) {
  return byte == 0x00 || byte == 0x0e || (byte >= 0x10 && byte <= 0x19);
}

/// Gives every such byte its bit back.
void repair_bits(std::string& text, const std::string& where) {
  int64_t repaired = 0, first_line = 0, line = 1;
  for (char& byte : text) {
    line += byte == '\n';
    if (!lost_its_bit(static_cast<unsigned char>(byte))) continue;
    byte = static_cast<char>(byte | kLostBit);
    if (repaired++ == 0) first_line = line;
  }
  if (repaired > 0)
    log::warn("[", where, ":", first_line, "] repaired ", repaired,
              " bytes that had lost a bit (the first is on this line)");
}

constexpr std::string_view kBlanks = " \t\r";

/// Appends the numbers of one line.
void parse_line(std::string_view line, int64_t columns, const std::string& where,
                std::vector<double>& out) {
  int64_t got = 0;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty()) break;
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    check(error == std::errc() && end == word.data() + word.size(), where, "is no number: got ",
          printable(std::string(word.substr(0, 40))));
    out.push_back(value);
    ++got;
    line.remove_prefix(word.size());
  }
  check(got == columns, where, "wrong number of columns: got ", got, ", expected ", columns);
}

}  // namespace

at::Tensor read_number_rows(const std::filesystem::path& path, int64_t columns, bool repair) {
  std::string text = read_text(path);
  if (repair) repair_bits(text, path.string());
  while (!text.empty() && (text.back() == '\n' || kBlanks.find(text.back()) != kBlanks.npos))
    text.pop_back();
  std::vector<double> values;
  int64_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    parse_line(std::string_view(text).substr(begin, end - begin), columns,
               cat(path.string(), ":", ++line), values);
    begin = end + 1;
  }
  return at::tensor(values, at::kDouble).reshape({-1, columns});
}

}  // namespace switchyard
