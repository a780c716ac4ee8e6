#pragma once
// Binary cache of the fitted catalogue meshes.

#include <filesystem>
#include <optional>
#include <vector>

#include "datasets/point_cloud/scan/mesh.h"

namespace switchyard::scan {

/// The meshes stored under `key`, or nothing when the file is missing, damaged or of another key.
std::optional<std::vector<Mesh>> read_mesh_cache(const std::filesystem::path& file, uint64_t key);

/// Written atomically; makes the folder. Errors: not writable.
void write_mesh_cache(const std::filesystem::path& file, uint64_t key,
                      const std::vector<Mesh>& meshes);

}  // namespace switchyard::scan
