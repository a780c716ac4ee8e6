#include "datasets/image/image_folder.h"

#include "datasets/image/class_folders.h"
#include "datasets/image/image_files.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

/// Classes lie in the root itself.
bool is_flat(const fs::path& root) { return holds_file_below(root, 1, is_image_name); }

}  // namespace

void ImageFolderParams::declare(Fields<ImageFolderParams>& f) {
  f.add("root", &ImageFolderParams::root, "folder of the splits, or of the classes");
  f.add("domain", &ImageFolderParams::domain, "name of the data domain; empty: the folder's name");
  f.add("source", &ImageFolderParams::source, "public name of the data, quoted in results");
  f.add("splits", &ImageFolderParams::splits,
        "{split: [sub-folder, ...]}; null: each sub-folder is a split");
  f.add("split", &ImageFolderParams::split, "split of all samples where there is no split folder");
  declare_image_shape(f);
}

std::unique_ptr<Dataset> open_image_folder(const ImageFolderParams& params) {
  const fs::path root = params.root;
  const std::string name = root.filename().string();
  const std::string domain = params.domain.empty() ? name : params.domain;
  auto found = list_split_classes(root, params.splits, params.split, is_image_name);
  std::vector<ImageFile> files;
  for (const ClassFile& file : found.files)
    files.push_back({{file.uri, domain, file.uri, found.split_of.at(file.outer)}, file.label});
  DatasetInfo info;
  info.class_names = std::move(found.classes);
  info.source = params.source.empty() ? name : params.source;
  return std::make_unique<ImageFiles>(root, std::move(files), std::move(info), params);
}

Layout image_folder_layout() {
  const auto found = [](const fs::path& folder) {
    return is_flat(folder) || holds_file_below(folder, 2, is_image_name);
  };
  const auto check = [](const fs::path& folder) {
    ImageFolderParams params;
    params.root = folder.string();
    params.size = kCheckedImageSize;
    Layout::Lines lines = {cat("layout: image_folder (ROOT/", is_flat(folder) ? "" : "SPLIT/",
                               "CLASS/*.jpg ...), read at ", kCheckedImageSize, " x ",
                               kCheckedImageSize)};
    add_samples(*open_image_folder(params), lines);
    lines.push_back("make shards: " + pack_command("image_folder", folder, ", size: PIXELS"));
    return lines;
  };
  return {"image_folder", "SPLIT/CLASS/*.jpg or CLASS/*.jpg", found, check};
}

}  // namespace switchyard
