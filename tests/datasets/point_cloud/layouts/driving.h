#pragma once
// Writes scans in the forms of SemanticKITTI's and nuScenes' releases.

#include <filesystem>
#include <vector>

#include "core/io/file.h"

namespace switchyard::test {

template <class T>
void write_values(const std::filesystem::path& file, const std::vector<T>& values) {
  std::filesystem::create_directories(file.parent_path());
  write_text(file, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

/// `points`: x, y, z, intensity each; `labels`: empty for an unlabelled scan.
inline void write_kitti_scan(const std::filesystem::path& root, const std::string& sequence,
                             const std::string& name, const std::vector<float>& points,
                             const std::vector<uint32_t>& labels) {
  const auto folder = root / "sequences" / sequence;
  write_values(folder / "velodyne" / (name + ".bin"), points);
  if (!labels.empty()) write_values(folder / "labels" / (name + ".label"), labels);
}

/// `points`: x, y, z, intensity, ring each. The scan's paths are X.pcd.bin and X_lidarseg.bin.
inline void write_nuscenes_scan(const std::filesystem::path& root, const std::string& name,
                                const std::vector<float>& points,
                                const std::vector<uint8_t>& labels) {
  write_values(root / "samples/LIDAR_TOP" / (name + ".pcd.bin"), points);
  if (!labels.empty()) write_values(root / "lidarseg/v1.0-mini" / (name + "_lidarseg.bin"), labels);
}

/// One entry of an info list.
inline std::string nuscenes_entry(const std::string& name, bool labelled,
                                  const std::string& scene = "") {
  std::string out = R"({"lidar_path": "samples/LIDAR_TOP/)" + name + R"(.pcd.bin")";
  if (labelled) out += R"(, "gt_segment_path": "lidarseg/v1.0-mini/)" + name + R"(_lidarseg.bin")";
  if (!scene.empty()) out += R"(, "scene_token": ")" + scene + "\"";
  return out + "}";
}

}  // namespace switchyard::test
