#pragma once
// ScanNet v2 as released (Dai et al., CVPR 2017):
//
//   ROOT/scannetv2-labels.combined.tsv               raw_category to ids; columns by name
//   ROOT/scans/SCENE/SCENE_vh_clean_2.ply            mesh with colours
//                   /SCENE_vh_clean_2.0.010000.segs.json   {segIndices: [segment of each vertex]}
//                   /SCENE.aggregation.json          {segGroups: [{id, label, segments: [..]}]}
//   ROOT/scans_test/SCENE/SCENE_vh_clean_2.ply       unlabelled
//
// A vertex is a point. Its normal is the sum of its faces' normals weighted by area; its raw id is
// the tsv's for the label of the group that holds its segment (the last one where there are
// several), and 0 where there is none or the tsv does not hold the label. scene0000_00 and
// scene0000_01 are scans of one room: the group is scene0000. Needs Open3D.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/class_map.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

struct ScannetParams {
  std::string root, domain = "scannet", source = "ScanNet v2", column = "nyu40id";
  ConfigNode splits, class_map;
  static void declare(Fields<ScannetParams>& f);
};

class ScannetDataset : public Dataset {
 public:
  /// Lists and hashes the files, reads the tsv where a scene is labelled. Errors: no scene, a list
  /// that names what is not there, half of the label files, no tsv or class map though labelled.
  explicit ScannetDataset(const ScannetParams& params);

  int64_t size() const override { return static_cast<int64_t>(scenes_.size()); }
  SampleInfo sample_info(int64_t index) const override { return scenes_.at(index); }
  /// coord, color, normal, and segment, instance where labelled. Errors name the file.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  void list_split(const std::string& split, const std::string& source, const std::string& domain);
  void add_labels(const std::filesystem::path& scene, bool warn, Sample& sample) const;

  std::filesystem::path root_;
  std::map<std::string, int64_t> id_of_;  ///< raw category to raw id
  std::optional<ClassMap> class_map_;
  std::vector<SampleInfo> scenes_;
  DatasetInfo info_;
};

Layout scannet_layout();

}  // namespace switchyard
