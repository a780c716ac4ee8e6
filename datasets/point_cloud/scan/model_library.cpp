#include "datasets/point_cloud/scan/model_library.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "datasets/point_cloud/scan/mesh_cache.h"
#include "datasets/point_cloud/scan/obj_loader.h"
#include "datasets/point_cloud/scan/zip_archive.h"

namespace switchyard::scan {
namespace {

constexpr uint64_t kCacheVersion = 1;

uint64_t cache_key(const std::vector<ModelEntry>& entries, const std::filesystem::path& catalogue) {
  uint64_t key = kCacheVersion;
  for (const auto& e : entries) {
    const auto archive = archive_path(catalogue, e.collection);
    std::string text = cat(e.collection, "|", e.path, "|", e.width, "|", e.depth, "|", e.height, "|",
                           uint64_t(std::filesystem::file_size(archive)));
    for (double r : e.rotation) text += cat("|", r);
    key = mix64(key ^ hash64(text));
  }
  return key;
}

std::vector<Mesh> load_all(const std::vector<ModelEntry>& entries,
                           const std::filesystem::path& catalogue) {
  std::vector<Mesh> out;
  std::map<std::string, std::unique_ptr<ZipArchive>> archives;
  for (const auto& entry : entries) {
    auto& archive = archives[entry.collection];
    if (!archive) archive = std::make_unique<ZipArchive>(archive_path(catalogue, entry.collection));
    const auto text = archive->read(entry.path);
    const std::string name = entry.collection + ":" + entry.path;
    check(text.has_value(), name, "model missing from its archive");
    const std::string folder = entry.path.substr(0, entry.path.rfind('/') + 1);
    Mesh mesh = load_obj(*text, name,
                         [&](const std::string& file) { return archive->read(folder + file); });
    fit_mesh(mesh, entry);
    out.push_back(std::move(mesh));
  }
  return out;
}

}  // namespace

void fit_mesh(Mesh& mesh, const ModelEntry& entry) {
  std::array<float, 3> low, high;
  low.fill(1e30f);
  high.fill(-1e30f);
  const auto& r = entry.rotation;
  for (auto& v : mesh.vertices) {
    const std::array<float, 3> p = v;
    for (int k = 0; k < 3; ++k) {
      v[k] = float(r[3 * k] * p[0] + r[3 * k + 1] * p[1] + r[3 * k + 2] * p[2]);
      low[k] = std::min(low[k], v[k]);
      high[k] = std::max(high[k], v[k]);
    }
  }
  const double size[3] = {entry.width, entry.height, entry.depth};
  double scale[3];
  for (int k = 0; k < 3; ++k) scale[k] = size[k] / std::max(double(high[k]) - low[k], 1e-9);
  for (auto& v : mesh.vertices) {
    const double x = (v[0] - 0.5 * (double(low[0]) + high[0])) * scale[0];
    const double y = (double(v[1]) - low[1]) * scale[1];
    const double z = (v[2] - 0.5 * (double(low[2]) + high[2])) * scale[2];
    v = {float(x), float(-z), float(y)};
  }
}

ModelLibrary::ModelLibrary(std::vector<ModelEntry> entries, std::vector<Mesh> meshes)
    : entries_(std::move(entries)), meshes_(std::move(meshes)) {}

ModelLibrary::ModelLibrary(std::vector<ModelEntry> entries, const std::filesystem::path& catalogue,
                           const std::filesystem::path& cache_dir)
    : entries_(std::move(entries)) {
  read_properties(catalogue, entries_);
  const uint64_t key = cache_key(entries_, catalogue);
  char name[64];
  std::snprintf(name, sizeof name, "scan-models-%016llx.bin", static_cast<unsigned long long>(key));
  const auto file = cache_dir / name;
  if (auto cached = read_mesh_cache(file, key); cached && cached->size() == entries_.size()) {
    meshes_ = std::move(*cached);
    return;
  }
  meshes_ = load_all(entries_, catalogue);
  try {
    write_mesh_cache(file, key, meshes_);
  } catch (const std::exception& error) {
    log::warn("furniture models are not cached: ", error.what());
  }
}

std::vector<int64_t> ModelLibrary::with_role(const std::string& role, bool test) const {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < size(); ++i) {
    if (entries_[i].role == role && entries_[i].test == test) out.push_back(i);
  }
  return out;
}

}  // namespace switchyard::scan
