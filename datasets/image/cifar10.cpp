#include "datasets/image/cifar10.h"

#include <ATen/ops/from_blob.h>

#include "core/io/file.h"
#include "datasets/folder.h"
#include "datasets/image/image_arrays.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kSide = 32, kPixels = kSide * kSide, kRecord = 1 + 3 * kPixels;
constexpr const char* kNames = "batches.meta.txt";

/// Aliases the mapped file.
ImageBlock read_batch(const fs::path& path, const std::string& domain) {
  const auto file = MappedFile::open(path);
  const auto bytes = static_cast<int64_t>(file->bytes().size());
  check(bytes > 0 && bytes % kRecord == 0, path.string(), "wrong size: got ", bytes,
        " bytes, expected a multiple of ", kRecord, " (label, 3 x 32 x 32 values)");
  auto* data = const_cast<std::byte*>(file->bytes().data());
  const auto keep = [file](void*) {};
  const std::string name = path.stem().string();
  return {name, domain, name.starts_with("test") ? "test" : "train",
          at::from_blob(data + 1, {bytes / kRecord, 3, kSide, kSide}, {kRecord, kPixels, kSide, 1},
                        keep, at::kByte),
          at::from_blob(data, {bytes / kRecord}, {kRecord}, keep, at::kByte)};
}

std::vector<std::string> read_names(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& line : split(read_text(path), '\n'))
    if (!trim(line).empty()) names.emplace_back(trim(line));
  check(!names.empty(), path.string(), "is empty: expected one class name per line");
  return names;
}

}  // namespace

void Cifar10Params::declare(Fields<Cifar10Params>& f) {
  f.add("root", &Cifar10Params::root, "folder of data_batch_*.bin (cifar-10-batches-bin)");
  f.add("domain", &Cifar10Params::domain, "name of the data domain");
  f.add("source", &Cifar10Params::source, "public name of the data, quoted in results");
  declare_image_shape(f);
}

std::unique_ptr<Dataset> open_cifar10(const Cifar10Params& params) {
  const fs::path root = params.root;
  std::vector<fs::path> files;
  std::vector<ImageBlock> blocks;
  for (const auto& name : stems_of(root, ".bin")) {
    if (!name.starts_with("data_batch_") && name != "test_batch") continue;
    files.push_back(root / (name + ".bin"));
    blocks.push_back(read_batch(files.back(), params.domain));
  }
  check(!blocks.empty(), root.string(),
        "no batch found: expected data_batch_*.bin, test_batch.bin");
  DatasetInfo info;
  info.class_names = read_names(root / kNames);
  info.source = params.source;
  info.hash = hash_of_files(root, files,
                            cat(to_text(params), "/", params.domain, "/", join(info.class_names)));
  return std::make_unique<ImageArrays>(std::move(blocks), std::move(info), params, HashSplit());
}

Layout cifar10_layout() {
  const auto found = [](const fs::path& folder) { return fs::exists(folder / kNames); };
  const auto check = [](const fs::path& folder) {
    Cifar10Params params;
    params.root = folder.string();
    Layout::Lines lines = {"layout: cifar10 (data_batch_*.bin, test_batch.bin)"};
    add_samples(*open_cifar10(params), lines);
    lines.push_back("make shards: " + pack_command("cifar10", folder));
    return lines;
  };
  return {"cifar10", kNames, found, check};
}

}  // namespace switchyard
