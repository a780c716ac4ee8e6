#pragma once
// Folders whose names are classes, below folders that are splits or data domains.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/config/node.h"

namespace switchyard {

struct ClassFile {
  std::string uri;    ///< path below the root
  std::string outer;  ///< split or domain; "" if the classes lie in the root
  int64_t label = 0;
};

struct ClassFolders {
  std::vector<std::string> classes;  ///< of all outer folders, sorted: the rank is the label
  std::vector<ClassFile> files;      ///< sorted by outer, class, name
};

/// Is a file of this name to be read?
using FilePredicate = bool (*)(const std::string& name);
/// Extensions jpg, jpeg, png, webp and bmp in any letter case.
bool is_image_name(const std::string& name);

/// ROOT/OUTER/CLASS/* for each of `outers` ("" for ROOT/CLASS/*). Files that `wanted` refuses are
/// left out, and a warning counts them; another warning names classes that an outer folder lacks.
/// Errors: no such folder, no class, a class folder without a wanted file.
ClassFolders list_class_folders(const std::filesystem::path& root,
                                const std::vector<std::string>& outers, FilePredicate wanted);

/// ROOT/SPLIT/CLASS/* or, where classes lie in the root itself, ROOT/CLASS/*.
struct SplitClasses {
  std::vector<std::string> classes;
  std::vector<ClassFile> files;
  std::map<std::string, std::string> split_of;  ///< by outer folder
};
/// `splits`: {split: [sub-folder, ...]}; null: each sub-folder is a split, or all is `split` where
/// there are no split folders. Errors: as above and of read_split_map.
SplitClasses list_split_classes(const std::filesystem::path& root, const ConfigNode& splits,
                                const std::string& split, FilePredicate wanted);

/// Some file exactly `depth` levels below `folder` (0: directly inside) is wanted.
bool holds_file_below(const std::filesystem::path& folder, int depth, FilePredicate wanted);

}  // namespace switchyard
