#include "datasets/point_cloud/npy_folder.h"

#include "core/io/file.h"
#include "core/io/npy.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/arrays.h"
#include "datasets/point_cloud/points.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

struct Key {
  const char* name;
  at::ScalarType dtype;  ///< kFloat stands for any floating type, kLong for any integer type
  int64_t columns;       ///< 0: no second axis
};

constexpr Key kKeys[] = {{"coord", at::kFloat, 3},  {"color", at::kByte, 3},
                         {"normal", at::kFloat, 3}, {"intensity", at::kFloat, 0},
                         {"origin", at::kFloat, 3}, {"segment", at::kLong, 0}};

fs::path file_of(const fs::path& folder, const Key& key) {
  return folder / (std::string(key.name) + ".npy");
}

at::Tensor read_key(const fs::path& path, const Key& key) {
  const at::Tensor tensor = read_npy(path);
  if (std::string_view(key.name) == "coord") return to_coord(tensor, path.string());
  check_array(tensor, key.columns, key.dtype, path.string());
  return key.dtype == at::kFloat ? tensor.to(at::kFloat) : tensor;
}

}  // namespace

void NpyFolderParams::declare(Fields<NpyFolderParams>& f) {
  f.add("root", &NpyFolderParams::root, "folder of the data");
  f.add("domain", &NpyFolderParams::domain,
        "data domain of the flat layout ROOT/<sample>/; empty: nested layout");
  f.add("split", &NpyFolderParams::split, "split of all samples of the flat layout");
  f.add("source", &NpyFolderParams::source, "public name of the data, quoted in results");
  f.add("synthetic", &NpyFolderParams::synthetic, "simulated data: tables then say so");
}

NpyFolderDataset::NpyFolderDataset(const NpyFolderParams& params) : root_(params.root) {
  params.domain.empty() ? list_nested() : list_flat(params);
  check(!samples_.empty(), root_.string(), "no sample found: expected ",
        params.domain.empty() ? "<domain>/<split>/<sample>/coord.npy" : "<sample>/coord.npy");
  info_.source = params.source.empty() ? root_.filename().string() : params.source;
  info_.synthetic = params.synthetic;
  read_classes();
  std::vector<fs::path> files;
  for (const SampleInfo& sample : samples_) {
    for (const Key& key : kKeys) {
      const fs::path path = file_of(root_ / sample.uri, key);
      if (fs::exists(path)) files.push_back(path);
    }
  }
  info_.hash =
      hash_of_files(root_, files, join(info_.class_names) + params.domain + "/" + params.split);
}

void NpyFolderDataset::add_sample(const std::string& uri, const std::string& domain,
                                  const std::string& split) {
  if (fs::exists(root_ / uri / "coord.npy")) samples_.push_back({uri, domain, uri, split});
}

void NpyFolderDataset::list_flat(const NpyFolderParams& params) {
  for (const auto& sample : subfolders(root_)) add_sample(sample, params.domain, params.split);
}

void NpyFolderDataset::list_nested() {
  for (const auto& domain : subfolders(root_)) {
    for (const auto& split : subfolders(root_ / domain)) {
      for (const auto& sample : subfolders(root_ / domain / split)) {
        add_sample(domain + "/" + split + "/" + sample, domain, split);
      }
    }
  }
}

void NpyFolderDataset::read_classes() {
  const fs::path path = root_ / "classes.txt";
  if (fs::exists(path)) {
    for (const auto& line : switchyard::split(read_text(path), '\n')) {
      if (!trim(line).empty()) info_.class_names.emplace_back(trim(line));
    }
    check(!info_.class_names.empty(), path.string(), "is empty: expected one class name per line");
    return;
  }
  for (const SampleInfo& sample : samples_) {
    check(!fs::exists(root_ / sample.uri / "segment.npy"), path.string(), "is missing, but '",
          sample.uri, "' has segment.npy: expected one class name per line");
  }
}

Sample NpyFolderDataset::get(int64_t index, const Draw& draw) const {
  Sample out{{}, samples_.at(index)};
  const fs::path folder = root_ / out.info.uri;
  for (const Key& key : kKeys) {
    const fs::path path = file_of(folder, key);
    if (!fs::exists(path)) continue;
    at::Tensor tensor = read_key(path, key);
    if (key.dtype == at::kLong)
      tensor = to_labels(tensor, static_cast<int64_t>(info_.class_names.size()), path.string());
    out.tensors.emplace(key.name, tensor);
    const int64_t points = out.tensors.at("coord").size(0);
    check(tensor.size(0) == points, path.string(), "wrong number of points: got ", tensor.size(0),
          ", expected ", points, " as in coord.npy");
  }
  drop_non_finite(out, folder.string(), draw.epoch == 0);
  return out;
}

namespace {

Layout::Lines check_npy(const fs::path& folder, const std::string& domain, std::string first) {
  NpyFolderParams params;
  params.root = folder.string();
  params.domain = domain;
  Layout::Lines lines = {std::move(first)};
  add_samples(NpyFolderDataset(params), lines);
  return lines;
}

}  // namespace

Layout npy_folder_layout() {
  const auto found = [](const fs::path& folder) { return holds_below(folder, 3, "coord.npy"); };
  const auto check = [](const fs::path& folder) {
    return check_npy(folder, "", "layout: npy_folder (ROOT/<domain>/<split>/<sample>/)");
  };
  return {"npy_folder", "<domain>/<split>/<sample>/coord.npy", found, check};
}

Layout npy_flat_layout() {
  const auto found = [](const fs::path& folder) { return holds_below(folder, 1, "coord.npy"); };
  const auto check = [](const fs::path& folder) {
    return check_npy(folder, folder.filename().string(),
                     "layout: npy_folder, flat (ROOT/<sample>/; needs the parameter domain)");
  };
  return {"npy_folder", "<sample>/coord.npy", found, check};
}

}  // namespace switchyard
