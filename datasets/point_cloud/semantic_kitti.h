#pragma once
// SemanticKITTI as released (Behley et al., ICCV 2019):
//
//   ROOT/sequences/NN/velodyne/*.bin    float32 x, y, z (m, sensor frame), intensity (0..1)
//   ROOT/sequences/NN/labels/*.label    uint32: class in the low, instance in the high 16 bits
//
// The sequence is the group (one drive). Sequences without a labels folder (the test set) are
// unlabelled. NaN points are dropped with a warning that names the file.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/class_map.h"
#include "datasets/layout.h"

namespace switchyard {

struct SemanticKittiParams {
  std::string root, domain = "semantic_kitti", source = "SemanticKITTI", label_map;
  ConfigNode splits, class_map;
  static void declare(Fields<SemanticKittiParams>& f);
};

/// The class map in a label file of the semantic-kitti-api (learning_map, learning_map_inv and
/// labels; learning class 0 is ignored), as configs/class_map has them. Errors name the file.
ConfigNode kitti_class_map(const std::filesystem::path& path);

class SemanticKittiDataset : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such sequence, no scan, a scan without labels in a
  /// labelled sequence; both or neither of class_map and label_map.
  explicit SemanticKittiDataset(const SemanticKittiParams& params);

  int64_t size() const override { return static_cast<int64_t>(scans_.size()); }
  SampleInfo sample_info(int64_t index) const override { return scans_.at(index).info; }
  /// coord, intensity, origin (zeros: the sensor), and where labelled segment, instance.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  struct Scan {
    SampleInfo info;
    std::filesystem::path points, labels;  ///< labels: empty if the sequence has none
  };
  void list_sequence(const std::string& split, const std::string& sequence,
                     const std::string& domain);

  std::filesystem::path root_;
  ClassMap class_map_;
  std::vector<Scan> scans_;
  DatasetInfo info_;
};

Layout semantic_kitti_layout();

}  // namespace switchyard
