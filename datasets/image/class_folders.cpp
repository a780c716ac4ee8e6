#include "datasets/image/class_folders.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/log.h"
#include "datasets/folder.h"
#include "datasets/split_map.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

std::string below(const std::string& outer, const std::string& name) {
  return outer.empty() ? name : outer + "/" + name;
}

/// Lists one class folder after the other.
class Listing {
 public:
  Listing(fs::path root, FilePredicate wanted) : root_(std::move(root)), wanted_(wanted) {}

  void add(const std::string& outer) {
    for (const auto& name : subfolders(root_ / outer)) {
      by_class_[name].insert(outer);
      add_class(outer, name);
    }
  }

  ClassFolders finish(const std::vector<std::string>& outers) {
    check(!by_class_.empty(), root_.string(), "no class found: expected folders named as classes");
    if (skipped_ > 0)
      log::warn(root_.string(), ": left out ", skipped_, " files by their name, as ",
                first_skipped_);
    for (const auto& [name, held_by] : by_class_) {
      out_.classes.push_back(name);
      for (const auto& outer : outers)
        if (!held_by.count(outer)) log::warn((root_ / outer).string(), ": has no class ", name);
    }
    for (ClassFile& file : out_.files) file.label = rank_of(class_of(file));
    return std::move(out_);
  }

 private:
  static std::string class_of(const ClassFile& file) {
    return fs::path(file.uri).parent_path().filename().string();
  }

  int64_t rank_of(const std::string& name) const {
    const auto& classes = out_.classes;
    return std::lower_bound(classes.begin(), classes.end(), name) - classes.begin();
  }

  void add_class(const std::string& outer, const std::string& name) {
    const std::string folder = below(outer, name);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string file = entry.path().filename().string();
      wanted_(file) ? names.push_back(file) : skip(folder + "/" + file);
    }
    check(!names.empty(), (root_ / folder).string(), "class folder without a readable file");
    std::sort(names.begin(), names.end());
    for (const auto& file : names) out_.files.push_back({folder + "/" + file, outer, 0});
  }

  void skip(const std::string& uri) {
    if (skipped_++ == 0) first_skipped_ = uri;
  }

  fs::path root_;
  FilePredicate wanted_;
  ClassFolders out_;
  std::map<std::string, std::set<std::string>> by_class_;  ///< outer folders that hold the class
  int64_t skipped_ = 0;
  std::string first_skipped_;
};

}  // namespace

bool is_image_name(const std::string& name) {
  const std::string lower = to_lower(name);
  for (const char* extension : {".jpg", ".jpeg", ".png", ".webp", ".bmp"})
    if (lower.ends_with(extension)) return true;
  return false;
}

ClassFolders list_class_folders(const fs::path& root, const std::vector<std::string>& outers,
                                FilePredicate wanted) {
  Listing listing(root, wanted);
  for (const auto& outer : outers) listing.add(outer);
  return listing.finish(outers);
}

SplitClasses list_split_classes(const fs::path& root, const ConfigNode& splits,
                                const std::string& split, FilePredicate wanted) {
  check(fs::is_directory(root), root.string(), "no such folder");
  std::vector<SplitSource> sources = {{split, ""}};
  if (!splits.is_null() || !holds_file_below(root, 1, wanted))
    sources = read_split_map(splits, "splits", subfolders(root));
  SplitClasses out;
  std::vector<std::string> outers;
  for (const auto& source : sources) {
    outers.push_back(source.source);
    check(out.split_of.emplace(source.source, source.split).second, "splits",
          "names a folder twice: got ", source.source);
  }
  ClassFolders found = list_class_folders(root, outers, wanted);
  out.classes = std::move(found.classes);
  out.files = std::move(found.files);
  return out;
}

bool holds_file_below(const fs::path& folder, int depth, FilePredicate wanted) {
  if (depth > 0) {
    const auto inner = subfolders(folder);
    return std::any_of(inner.begin(), inner.end(), [&](const auto& name) {
      return holds_file_below(folder / name, depth - 1, wanted);
    });
  }
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && wanted(entry.path().filename().string())) return true;
  return false;
}

}  // namespace switchyard
