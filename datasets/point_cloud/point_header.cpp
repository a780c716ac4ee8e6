#include "datasets/point_cloud/point_header.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/printable.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

using Words = std::vector<std::string>;
constexpr int64_t kMostPerField = 4096;  // bytes or numbers

/// The lines of a text, numbered.
class Lines {
 public:
  Lines(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}
  bool done() const { return text_.empty(); }
  std::string where() const { return cat(file_, ":", number_); }
  uint64_t bytes_left() const { return text_.size(); }
  /// The words of the next line.
  Words next() {
    ++number_;
    const size_t end = std::min(text_.find('\n'), text_.size());
    Words out;
    for (const auto& word : split(text_.substr(0, end), ' ')) {
      if (!trim(word).empty()) out.emplace_back(trim(word));
    }
    text_.remove_prefix(std::min(end + 1, text_.size()));
    return out;
  }

 private:
  std::string_view text_;
  std::string file_;
  int64_t number_ = 0;
};

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

int64_t count_of(const std::string& word, size_t file_bytes, const std::string& where) {
  int64_t count = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  check(error == std::errc() && end == word.data() + word.size() && count >= 0, where,
        "is no number of points: got ", printable(word));
  check(static_cast<uint64_t>(count) <= file_bytes, where,
        "more points than the file has bytes: got ", count, " in ", file_bytes, " bytes");
  return count;
}

void check_axes(const std::set<std::string>& names, const std::string& where) {
  for (const char* axis : {"x", "y", "z"})
    check(names.count(axis) > 0, where, "has no property ", axis, ": expected x, y and z");
}

/// The numbers behind the first word.
std::vector<int64_t> field_numbers(const Words& line, size_t file_bytes, const std::string& where) {
  std::vector<int64_t> out;
  for (size_t i = 1; i < line.size(); ++i) {
    out.push_back(count_of(line[i], file_bytes, where));
    check(out.back() <= kMostPerField, where, "got ", out.back(), ", expected at most ",
          kMostPerField);
  }
  return out;
}

/// What a PCD header says of the data behind it.
struct PcdHeader {
  int64_t points = -1;
  std::vector<std::string> fields;
  std::vector<int64_t> sizes, counts;  // per field; counts empty: one each

  int64_t count(size_t field) const { return field < counts.size() ? counts[field] : 1; }
  int64_t columns() const {
    int64_t sum = 0;
    for (size_t i = 0; i < fields.size(); ++i) sum += count(i);
    return sum;
  }
  int64_t point_bytes() const {
    int64_t sum = 0;
    for (size_t i = 0; i < sizes.size(); ++i) sum += sizes[i] * count(i);
    return sum;
  }
};

/// Text data: a line of as many numbers as there are fields for every point.
void check_pcd_text(Lines& lines, const PcdHeader& header, const std::string& where) {
  int64_t got = 0;
  while (!lines.done()) {
    const auto words = static_cast<int64_t>(lines.next().size());
    if (words == 0) continue;
    check(words == header.columns(), lines.where(), "wrong number of columns: got ", words,
          ", expected ", header.columns());
    ++got;
  }
  check(got == header.points, where, "wrong number of points: got ", got, ", expected ",
        header.points, " by its header");
}

void check_pcd_data(Lines& lines, const PcdHeader& header, const Words& data,
                    const std::string& where) {
  check(header.points >= 0, where, "damaged header: it has no POINTS");
  check_axes({header.fields.begin(), header.fields.end()}, where);
  check_name(lines.where(), "kind of data", data.size() == 2 ? data[1] : "",
             {"ascii", "binary", "binary_compressed"});
  if (data[1] == "ascii") return check_pcd_text(lines, header, where);
  if (data[1] != "binary") return;  // its own sizes stand before the data
  const double expected = double(header.points) * double(header.point_bytes());
  check(header.sizes.size() == header.fields.size(), where, "damaged header: got ",
        header.sizes.size(), " sizes for ", header.fields.size(), " fields");
  check(double(lines.bytes_left()) >= expected, where, "ends too early: got ", lines.bytes_left(),
        " bytes of points, expected ", expected);
}

}  // namespace

int64_t check_ply_header(const fs::path& path) {
  const auto file = MappedFile::open(path);
  Lines lines(text_of(*file), path.string());
  check(!lines.done() && lines.next() == Words{"ply"}, path.string(), "is no PLY file");
  int64_t vertices = -1;
  bool in_vertex = false;
  std::set<std::string> names;
  for (Words line; line != Words{"end_header"};) {
    check(!lines.done(), path.string(), "damaged header: it does not end");
    line = lines.next();
    if (line.size() == 3 && line[0] == "element") {
      in_vertex = line[1] == "vertex";
      if (in_vertex) vertices = count_of(line[2], file->bytes().size(), lines.where());
    }
    if (in_vertex && line.size() == 3 && line[0] == "property") names.insert(line[2]);
  }
  check(vertices >= 0, path.string(), "damaged header: it has no element vertex");
  check_axes(names, path.string());
  return vertices;
}

int64_t check_pcd_header(const fs::path& path) {
  const auto file = MappedFile::open(path);
  Lines lines(text_of(*file), path.string());
  const size_t bytes = file->bytes().size();
  PcdHeader header;
  for (;;) {
    check(!lines.done(), path.string(), "is no PCD file: expected a line DATA");
    const Words line = lines.next();
    if (line.empty()) continue;
    if (line[0] == "FIELDS") header.fields.assign(line.begin() + 1, line.end());
    if (line[0] == "SIZE") header.sizes = field_numbers(line, bytes, lines.where());
    if (line[0] == "COUNT") header.counts = field_numbers(line, bytes, lines.where());
    if (line[0] == "POINTS" && line.size() == 2)
      header.points = count_of(line[1], bytes, lines.where());
    if (line[0] != "DATA") continue;
    check_pcd_data(lines, header, line, path.string());
    return header.points;
  }
}

}  // namespace switchyard
