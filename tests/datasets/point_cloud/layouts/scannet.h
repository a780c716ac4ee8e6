#pragma once
// Writes scenes in the form of ScanNet's release.

#include <ATen/ops/tensor.h>

#include "core/io/json.h"
#include "tests/datasets/point_cloud/layouts/point_files.h"

namespace switchyard::test {

inline const char* const kScannetTable =
    "id\traw_category\tcount\tnyu40id\n1\twall\t9\t1\n2\toffice chair\t5\t5\n2\twall\t5\t7\n"
    "3\tno id\t5\t\n1191\tpiano\t1\t39\n";

/// ROOT/FOLDER/NAME with three groups: wall, office chair, and one that the tsv does not hold.
/// Every vertex is a segment of its own; the group is its label, none for -1.
inline void write_scannet_scene(const std::filesystem::path& root, const std::string& folder,
                                const std::string& name, const Scene& scene,
                                const at::Tensor& face_F3) {
  const auto file = [&](const char* suffix) { return root / folder / name / (name + suffix); };
  write_bytes(file("_vh_clean_2.ply"), ply_mesh(scene, face_F3));
  if (folder == "scans_test") return;
  Json segs = {{"sceneId", name}, {"segIndices", Json::array()}};
  Json groups = Json::array();
  const char* const labels[] = {"wall", "office chair", "spaceship"};
  for (int id = 0; id < 3; ++id)
    groups.push_back({{"id", 10 + id}, {"label", labels[id]}, {"segments", Json::array()}});
  for (int64_t i = 0; i < scene.coord.size(0); ++i) {
    segs["segIndices"].push_back(7 * i);
    const int64_t label = scene.segment[i].item<int64_t>();
    if (label >= 0) groups[static_cast<size_t>(label)]["segments"].push_back(7 * i);
  }
  write_json(file("_vh_clean_2.0.010000.segs.json"), segs);
  write_json(file(".aggregation.json"), {{"sceneId", name}, {"segGroups", groups}});
  write_text(root / "scannetv2-labels.combined.tsv", kScannetTable);
}

}  // namespace switchyard::test
