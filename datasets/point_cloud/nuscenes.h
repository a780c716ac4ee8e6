#pragma once
// nuScenes-lidarseg (Fong et al. 2022), listed by JSON files:
//
//   ROOT/INFO.json    [{"lidar_path": "samples/LIDAR_TOP/X.pcd.bin",
//                       "gt_segment_path": "lidarseg/v1.0-trainval/Y_lidarseg.bin",
//                       "scene_token": "..."}, ...]
//
// The paths are below ROOT (or ROOT/raw, as Pointcept has it); gt_segment_path and scene_token may
// be missing. A scan has float32 x, y, z (m, sensor frame), intensity (0..255), ring; its labels
// are one byte per point. The scene is the group; without it every scan is its own. Pickled info
// files are not read: a pickle is a program. kNuscenesInfo, in the error about one, makes the JSON.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/class_map.h"
#include "datasets/layout.h"

namespace switchyard {

/// A line of Python that turns Pointcept's or OpenPCDet's info pickle into the JSON above.
extern const char* const kNuscenesInfo;

struct NuscenesParams {
  std::string root, domain = "nuscenes", source = "nuScenes-lidarseg";
  ConfigNode info, class_map;
  static void declare(Fields<NuscenesParams>& f);
};

class NuscenesDataset : public Dataset {
 public:
  /// Reads the lists and hashes the files. Errors: a pickle, no such list, a damaged one, a file
  /// that is not there or leaves the root.
  explicit NuscenesDataset(const NuscenesParams& params);

  int64_t size() const override { return static_cast<int64_t>(scans_.size()); }
  SampleInfo sample_info(int64_t index) const override { return scans_.at(index).info; }
  /// coord, intensity (0..1), origin (zeros: the sensor), and where labelled segment.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  struct Scan {
    SampleInfo info;
    std::filesystem::path points, labels;  ///< labels: empty if the list names none
  };
  void read_list(const std::filesystem::path& list, const std::string& split,
                 const std::string& domain);
  std::filesystem::path below_root(const std::string& name, const std::string& where) const;

  std::filesystem::path root_;
  ClassMap class_map_;
  std::vector<Scan> scans_;
  DatasetInfo info_;
};

Layout nuscenes_layout();

}  // namespace switchyard
