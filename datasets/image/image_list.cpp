#include "datasets/image/image_list.h"

#include "core/io/file.h"
#include "core/io/printable.h"
#include "datasets/class_map.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kColumns[] = {"path", "domain", "class", "label", "split"};

std::string line_of(const fs::path& file, int64_t line) { return cat(file.string(), ":", line); }

/// Calls `read(text, where)` for every line that holds something.
template <class Read>
void for_lines(const fs::path& file, const Read& read) {
  int64_t number = 0;
  for (const auto& line : split(read_text(file), '\n')) {
    ++number;
    if (!trim(line).empty()) read(std::string(trim(line)), line_of(file, number));
  }
}

std::vector<size_t> places_of_columns(const std::string& header, const std::string& where) {
  const auto names = split(header, ',');
  std::vector<size_t> places;
  for (const char* column : kColumns) {
    const auto found = std::find(names.begin(), names.end(), column);
    check(found != names.end(), where, "has no column '", column, "': got ", join(names));
    places.push_back(static_cast<size_t>(found - names.begin()));
  }
  return places;
}

}  // namespace

void ImageList::add_csv(const fs::path& file) {
  std::vector<size_t> places;
  for_lines(file, [&](const std::string& line, const std::string& where) {
    if (places.empty()) {
      places = places_of_columns(line, where);
      return;
    }
    check(line.find('"') == std::string::npos, where, "quoted fields are not supported");
    const auto fields = split(line, ',');
    std::vector<std::string> value;
    for (const size_t place : places) {
      check(place < fields.size() && !fields[place].empty(), where, "lacks a field: got ",
            fields.size(), ", expected path, domain, class, label and split");
      value.push_back(fields[place]);
    }
    add({{value[0], value[1], value[0], value[4]}, 0}, value[2], value[3], where);
  });
}

void ImageList::add_lines(const fs::path& file, const std::string& domain,
                          const std::string& split) {
  for_lines(file, [&](const std::string& line, const std::string& where) {
    const size_t space = line.rfind(' ');
    check(space != std::string::npos, where, "expected 'PATH LABEL': got '", line, "'");
    const std::string path(trim(line.substr(0, space)));
    add({{path, domain, path, split}, 0}, fs::path(path).parent_path().filename().string(),
        line.substr(space + 1), where);
  });
}

void ImageList::add(ImageFile file, const std::string& class_name, const std::string& label,
                    const std::string& where) {
  check_inside(file.info.uri, where);
  std::error_code no_such_path;
  check(fs::is_regular_file(root_ / file.info.uri, no_such_path), where,
        "names an image that is not there: ", printable(file.info.uri));
  file.label = raw_id(label, where);
  const auto class_here = class_of_.emplace(file.label, class_name).first->second;
  const auto label_here = label_of_.emplace(class_name, file.label).first->second;
  check(class_here == class_name && label_here == file.label, where,
        "class and label disagree: "
        "got '",
        class_name, "' with ", file.label, ", before '", class_here, "' with ", label_here);
  files_.push_back(std::move(file));
}

std::vector<std::string> ImageList::class_names() const {
  std::vector<std::string> names;
  for (const auto& [label, name] : class_of_) {
    check(label == static_cast<int64_t>(names.size()), root_.string(),
          "labels have a gap: no image has label ", names.size());
    names.push_back(name);
  }
  return names;
}

}  // namespace switchyard
