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

/// The lines of a text, numbered.
class Lines {
 public:
  Lines(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}
  bool done() const { return text_.empty(); }
  std::string where() const { return cat(file_, ":", number_); }
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

/// Text data: a line of as many numbers as there are fields for every point.
void check_pcd_text(Lines& lines, int64_t points, size_t columns, const std::string& where) {
  int64_t got = 0;
  while (!lines.done()) {
    const size_t words = lines.next().size();
    if (words == 0) continue;
    check(words == columns, lines.where(), "wrong number of columns: got ", words, ", expected ",
          columns);
    ++got;
  }
  check(got == points, where, "wrong number of points: got ", got, ", expected ", points,
        " by its header");
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
  int64_t points = -1;
  size_t columns = 0;
  std::set<std::string> names;
  for (;;) {
    check(!lines.done(), path.string(), "is no PCD file: expected a line DATA");
    const Words line = lines.next();
    if (line.empty()) continue;
    if (line[0] == "FIELDS") names.insert(line.begin() + 1, line.end());
    if (line[0] == "COUNT") {
      for (size_t i = 1; i < line.size(); ++i)
        columns += static_cast<size_t>(count_of(line[i], file->bytes().size(), lines.where()));
    }
    if (line[0] == "POINTS" && line.size() == 2)
      points = count_of(line[1], file->bytes().size(), lines.where());
    if (line[0] != "DATA") continue;
    check(points >= 0, path.string(), "damaged header: it has no POINTS");
    check_axes(names, path.string());
    if (line.size() == 2 && line[1] == "ascii")
      check_pcd_text(lines, points, columns ? columns : names.size(), path.string());
    return points;
  }
}

}  // namespace switchyard
