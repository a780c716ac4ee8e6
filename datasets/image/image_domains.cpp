#include "datasets/image/image_domains.h"

#include <algorithm>
#include <set>

#include "datasets/folder.h"
#include "datasets/image/class_folders.h"
#include "datasets/image/image_list.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr const char* kIndex = "index.csv";
constexpr const char* kSplits[] = {"train", "test"};

struct Listed {
  std::vector<ImageFile> files;
  std::vector<std::string> class_names;
};

Listed listed(const ImageList& list) { return {list.files(), list.class_names()}; }

/// Domains with a file DOMAIN_SPLIT.txt.
std::set<std::string> listed_domains(const fs::path& root) {
  std::set<std::string> out;
  for (const char* split : kSplits)
    for (const auto& name : stems_of(root, cat("_", split, ".txt"))) out.insert(name);
  return out;
}

Listed from_text(const fs::path& root) {
  ImageList list(root);
  for (const auto& domain : listed_domains(root)) {
    for (const char* split : kSplits) {
      const fs::path file = root / cat(domain, "_", split, ".txt");
      if (fs::exists(file)) list.add_lines(file, domain, split);
    }
  }
  return listed(list);
}

Listed from_folders(const fs::path& root, const HashSplit& split) {
  ClassFolders found = list_class_folders(root, subfolders(root), is_image_name);
  Listed out{{}, std::move(found.classes)};
  for (const ClassFile& file : found.files)
    out.files.push_back({{file.uri, file.outer, file.uri, split.split_of(file.uri)}, file.label});
  return out;
}

Listed list_all(const fs::path& root, const HashSplit& split) {
  if (fs::exists(root / kIndex)) {
    ImageList list(root);
    list.add_csv(root / kIndex);
    return listed(list);
  }
  return listed_domains(root).empty() ? from_folders(root, split) : from_text(root);
}

void keep_domains(std::vector<ImageFile>& files, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return;
  std::set<std::string> found;
  for (const ImageFile& file : files) found.insert(file.info.domain);
  for (const auto& domain : wanted)
    check_name("domains", "domain", domain, {found.begin(), found.end()});
  std::erase_if(files, [&](const ImageFile& file) {
    return std::find(wanted.begin(), wanted.end(), file.info.domain) == wanted.end();
  });
}

/// Folder names that mean splits to everyone.
bool names_a_split(const std::string& name) {
  for (const char* split : {"train", "val", "valid", "validation", "test"})
    if (to_lower(name) == split) return true;
  return false;
}

bool has_index(const fs::path& folder) {
  if (!fs::exists(folder / kIndex)) return false;
  std::string first;
  std::getline(std::ifstream(folder / kIndex), first);
  return first.find("path") != std::string::npos && first.find("domain") != std::string::npos;
}

bool is_image_domains(const fs::path& folder) {
  if (has_index(folder) || !listed_domains(folder).empty()) return true;
  const auto names = subfolders(folder);
  return names.size() > 1 && std::none_of(names.begin(), names.end(), names_a_split) &&
         holds_file_below(folder, 2, is_image_name);
}

}  // namespace

void ImageDomainsParams::declare(Fields<ImageDomainsParams>& f) {
  f.add("root", &ImageDomainsParams::root, "folder of the domains or of index.csv");
  f.add("source", &ImageDomainsParams::source, "public name of the data, quoted in results");
  f.add("domains", &ImageDomainsParams::domains, "data domains to read; empty: all");
  f.node("split", &ImageDomainsParams::split, "how to split domains that come without splits");
  declare_image_shape(f);
}

std::unique_ptr<Dataset> open_image_domains(const ImageDomainsParams& params) {
  const fs::path root = params.root;
  check(fs::is_directory(root), root.string(), "no such folder");
  Listed all = list_all(root, params.split);
  keep_domains(all.files, params.domains);
  DatasetInfo info;
  info.class_names = std::move(all.class_names);
  info.source = params.source.empty() ? root.filename().string() : params.source;
  return std::make_unique<ImageFiles>(root, std::move(all.files), std::move(info), params);
}

Layout image_domains_layout() {
  const auto check = [](const fs::path& folder) {
    ImageDomainsParams params;
    params.root = folder.string();
    params.size = kCheckedImageSize;
    Layout::Lines lines = {cat("layout: image_domains (",
                               has_index(folder)                ? kIndex
                               : listed_domains(folder).empty() ? "DOMAIN/CLASS/*.jpg ..."
                                                                : "DOMAIN_SPLIT.txt",
                               "), read at ", kCheckedImageSize, " x ", kCheckedImageSize)};
    add_samples(*open_image_domains(params), lines);
    lines.push_back("make shards: " + pack_command("image_domains", folder, ", size: PIXELS"));
    return lines;
  };
  return {"image_domains", "DOMAIN/CLASS/*.jpg, index.csv or DOMAIN_SPLIT.txt", is_image_domains,
          check};
}

}  // namespace switchyard
