#pragma once
// All models of the list, in metres, ready to be placed.

#include <filesystem>

#include "datasets/point_cloud/scan/catalogue.h"
#include "datasets/point_cloud/scan/mesh.h"

namespace switchyard::scan {

/// Applies the catalogue rotation, stretches the bounding box per axis to the catalogue size and
/// goes from OBJ axes (y up, front +z) to world axes: centred in X and Y, Z from 0, front -Y.
void fit_mesh(Mesh& mesh, const ModelEntry& entry);

class ModelLibrary {
 public:
  /// Reads the archives, or the binary cache in `cache_dir` where archives and list are unchanged.
  /// Errors: archive missing, model missing, damaged model.
  ModelLibrary(std::vector<ModelEntry> entries, const std::filesystem::path& catalogue,
               const std::filesystem::path& cache_dir);
  /// With given meshes (one per entry); used by tests.
  ModelLibrary(std::vector<ModelEntry> entries, std::vector<Mesh> meshes);

  const ModelEntry& entry(int64_t model) const { return entries_[model]; }
  const Mesh& mesh(int64_t model) const { return meshes_[model]; }
  int64_t size() const { return int64_t(entries_.size()); }
  /// Models of a role on one side of the split; may be empty.
  std::vector<int64_t> with_role(const std::string& role, bool test) const;

 private:
  std::vector<ModelEntry> entries_;
  std::vector<Mesh> meshes_;
};

}  // namespace switchyard::scan
