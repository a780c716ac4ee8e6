#pragma once
// S3DIS as released (Stanford3dDataset_v1.2, with or without _Aligned_Version; Armeni et al., CVPR
// 2016):
//
//   ROOT/Area_N/ROOM/Annotations/NAME_i.txt    one object: x y z r g b a line, metres and 0 .. 255
//
// The room is the sample and the group; NAME is looked up in the class map; objects are instances
// in the order of their file names. The release holds bytes whose bit 5 was lost (hallway_6 and
// office_19 of Area_5, hallway_2 of Area_3, by issues of several readers): they are repaired with a
// warning that names file and line. It has no normals.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

struct S3disParams {
  std::string root, domain = "s3dis", source = "S3DIS";
  ConfigNode splits, class_map;
  static void declare(Fields<S3disParams>& f);
};

class S3disDataset : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such area, no room, an object's name that is neither a
  /// class nor in the map.
  explicit S3disDataset(const S3disParams& params);

  int64_t size() const override { return static_cast<int64_t>(rooms_.size()); }
  SampleInfo sample_info(int64_t index) const override { return rooms_.at(index); }
  /// coord, color, segment, instance. Errors name file and line.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  void read_class_map(const ConfigNode& node);
  int64_t label_of(const std::filesystem::path& object) const;

  std::filesystem::path root_;
  std::map<std::string, int64_t> label_;  ///< by name of the object
  std::vector<SampleInfo> rooms_;
  DatasetInfo info_;
};

Layout s3dis_layout();

}  // namespace switchyard
