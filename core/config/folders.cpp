#include "core/config/folders.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"

namespace switchyard {

namespace fs = std::filesystem;

namespace {

/// True for a relative path without "." and ".." parts.
bool stays_below(const std::string& name) {
  const auto parts = split(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](const auto& part) { return part.empty() || part == "." || part == ".."; });
}

}  // namespace

ConfigFolders::ConfigFolders(std::vector<fs::path> search_dirs) : dirs_(std::move(search_dirs)) {
  std::error_code ignored;
  const bool any = std::any_of(dirs_.begin(), dirs_.end(),
                               [&](const auto& dir) { return fs::is_directory(dir, ignored); });
  check(any, "config folder", "no such folder: got ", text().empty() ? "none" : text());
}

std::optional<fs::path> ConfigFolders::find(const std::string& name) const {
  if (!stays_below(name)) return std::nullopt;
  std::error_code ignored;
  for (const auto& dir : dirs_) {
    fs::path path = dir / (name + ".yaml");
    if (fs::is_regular_file(path, ignored)) return path;
  }
  return std::nullopt;
}

fs::path ConfigFolders::find_option(const std::string& group, const std::string& option,
                                    const std::string& where) const {
  const std::string folder = group_of(group);
  if (auto path = find(folder + "/" + option)) return *path;
  check(is_group(folder), where, "unknown config group: got '", folder, "', expected a folder in ",
        text(),
        is_group(folder.substr(folder.rfind('/') + 1))
            ? "; did you mean /" + folder.substr(folder.rfind('/') + 1)
            : "");
  check_name(where, "option of " + folder, option, options(folder));
  fail(where, "cannot read option '", option, "' of ", folder);
}

std::vector<std::string> ConfigFolders::options(const std::string& group) const {
  std::set<std::string> names;
  std::error_code ignored;
  if (!stays_below(group_of(group))) return {};
  for (const auto& dir : dirs_) {
    const fs::path folder = dir / group_of(group);
    for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end;
         entry.increment(ignored)) {
      if (entry->path().extension() != ".yaml") continue;
      names.insert(entry->path().lexically_relative(folder).replace_extension().generic_string());
    }
  }
  return {names.begin(), names.end()};
}

bool ConfigFolders::is_group(const std::string& group) const {
  const std::string folder = group_of(group);
  std::error_code ignored;
  return stays_below(folder) && std::any_of(dirs_.begin(), dirs_.end(), [&](const auto& dir) {
           return fs::is_directory(dir / folder, ignored);
         });
}

std::vector<std::string> ConfigFolders::groups() const {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& dir : dirs_) {
    for (fs::directory_iterator entry(dir, ignored), end; entry != end; entry.increment(ignored)) {
      if (entry->is_directory(ignored)) names.insert(entry->path().filename().string());
    }
  }
  return {names.begin(), names.end()};
}

std::string ConfigFolders::text() const {
  std::vector<std::string> names;
  for (const auto& dir : dirs_) names.push_back(dir.generic_string());
  return join(names);
}

std::string group_of(const std::string& group_at_site) {
  return group_at_site.substr(0, group_at_site.find('@'));
}

std::string site_of(const std::string& group_at_site) {
  const size_t at = group_at_site.find('@');
  return at == std::string::npos ? "" : group_at_site.substr(at + 1);
}

bool fills_moe(const std::string& group_at_site) {
  const std::string group = group_of(group_at_site);
  return group == "moe" || group == "router" || group == "experts";
}

bool fills_root(const std::string& group) { return group == "experiment" || group == "recipe"; }

}  // namespace switchyard
