#include "datasets/point_cloud/scan/catalogue.h"

#include <charconv>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/io/file.h"
#include "datasets/point_cloud/scan/classes.h"
#include "datasets/point_cloud/scan/zip_archive.h"

namespace switchyard::scan {
namespace {

double number(std::string_view text, const std::string& where) {
  double value = 0;
  text = trim(text);
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(code == std::errc() && end == text.data() + text.size() && std::isfinite(value), where,
        "not a number: got '", text, "'");
  return value;
}

int64_t label_of(const std::string& name, const std::string& where) {
  check_name(where, "class", name, class_names());
  for (size_t i = 0; i < class_names().size(); ++i) {
    if (class_names()[i] == name) return int64_t(i);
  }
  return -1;
}

ModelEntry parse_row(const std::string& line, const std::string& where) {
  const std::vector<std::string> cells = split(line, ',');
  check(cells.size() == 11, where, "wrong number of cells: got ", cells.size(), ", expected 11");
  check(cells[5] == "train" || cells[5] == "test", where, "unknown split: got '", cells[5],
        "'; valid: train, test");
  ModelEntry entry;
  entry.collection = cells[0];
  entry.path = cells[1];
  entry.name = cells[2];
  entry.label = label_of(cells[3], where);
  entry.role = cells[4];
  entry.test = cells[5] == "test";
  entry.width = number(cells[6], where) / 100;
  entry.depth = number(cells[7], where) / 100;
  entry.height = number(cells[8], where) / 100;
  entry.elevation = number(cells[9], where) / 100;
  entry.top = entry.height;
  check(entry.width > 0 && entry.depth > 0 && entry.height > 0, where, "sizes must be positive");
  return entry;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += char(code);
  } else if (code < 0x800) {
    out += char(0xC0 | code >> 6);
    out += char(0x80 | (code & 63));
  } else {
    out += char(0xE0 | code >> 12);
    out += char(0x80 | (code >> 6 & 63));
    out += char(0x80 | (code & 63));
  }
}

std::string unescape(std::string_view raw) {
  std::string out;
  for (size_t i = 0; i < raw.size(); ++i) {
    unsigned code = static_cast<unsigned char>(raw[i]);
    if (raw[i] == '\\' && i + 1 < raw.size()) {
      code = static_cast<unsigned char>(raw[++i]);
      if (code == 'u' && i + 4 < raw.size()) {
        std::from_chars(raw.data() + i + 1, raw.data() + i + 5, code, 16);
        i += 4;
      }
    }
    append_utf8(out, code);
  }
  return out;
}

void complete(ModelEntry& entry, const std::map<std::string, std::string>& keys,
              const std::string& where) {
  if (const auto top = keys.find("dropOnTopElevation"); top != keys.end()) {
    entry.top = number(top->second, where) / 100;
  }
  const auto rotation = keys.find("modelRotation");
  if (rotation == keys.end()) return;
  size_t count = 0;
  for (const auto& cell : split(rotation->second, ' ')) {
    if (trim(cell).empty()) continue;
    check(count < 9, where, "modelRotation has more than 9 numbers");
    entry.rotation[count++] = number(cell, where);
  }
  check(count == 9, where, "modelRotation: got ", count, " numbers, expected 9");
}

}  // namespace

std::vector<ModelEntry> read_model_list(const std::filesystem::path& file) {
  const std::vector<std::string> lines = split(read_text(file), '\n');
  std::vector<ModelEntry> out;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::string line(trim(lines[i]));
    if (!line.empty()) out.push_back(parse_row(line, cat(file.string(), ":", i + 1)));
  }
  check(!out.empty(), file.string(), "the model list is empty");
  return out;
}

std::map<int64_t, std::map<std::string, std::string>> parse_properties(const std::string& text) {
  std::map<int64_t, std::map<std::string, std::string>> out;
  for (const auto& raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    const size_t equal = line.find('='), mark = line.find('#');
    if (equal == line.npos || mark == line.npos || mark == 0 || mark > equal) continue;
    int64_t index = 0;
    const auto digits = line.substr(mark + 1, equal - mark - 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) continue;
    out[index][std::string(line.substr(0, mark))] = unescape(line.substr(equal + 1));
  }
  return out;
}

std::filesystem::path archive_path(const std::filesystem::path& catalogue,
                                   const std::string& library) {
  const auto path = catalogue / (library + ".sh3f");
  check(std::filesystem::exists(path), "dataset.catalogue", "furniture archive missing: got ",
        path.string(), ", expected the files of Debian package sweethome3d-furniture ",
        "(apt-get install sweethome3d-furniture)");
  return path;
}

void read_properties(const std::filesystem::path& catalogue, std::vector<ModelEntry>& entries) {
  std::set<std::string> libraries;
  for (const auto& entry : entries) libraries.insert(entry.collection);
  for (const auto& library : libraries) {
    const auto file = archive_path(catalogue, library);
    const auto text = ZipArchive(file).read("PluginFurnitureCatalog.properties");
    check(text.has_value(), file.string(), "no PluginFurnitureCatalog.properties inside");
    std::map<std::string, std::map<std::string, std::string>> by_model;
    for (auto& [index, keys] : parse_properties(*text)) {
      const auto model = keys.find("model");
      if (model != keys.end() && model->second.size() > 1)
        by_model.emplace(model->second.substr(1), keys);
    }
    for (auto& entry : entries) {
      if (entry.collection != library) continue;
      const auto found = by_model.find(entry.path);
      check(found != by_model.end(), file.string(), "model of the list not in the archive: got ",
            entry.path);
      complete(entry, found->second, file.string() + ":" + entry.path);
    }
  }
}

}  // namespace switchyard::scan
