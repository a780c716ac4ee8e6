#pragma once
// Scenes as Pointcept's preprocessing writes them (Pointcept/Pointcept, datasets/defaults.py), in
// both of its layouts:
//
//   ROOT/SPLIT/SCENE/coord.npy      [N,3] float, metres                      since 1.5.2
//                   /color.npy      [N,3] 0 .. 255 in any number type        optional
//                   /normal.npy     [N,3] float                              optional
//                   /strength.npy   [N] or [N,1] float, read as intensity    optional
//                   /segment.npy    [N] or [N,1] integers, -1 = ignore       optional
//                   /segment20.npy ... (ScanNet): the parameter `segment` chooses
//                   /instance.npy   [N] or [N,1] integers, -1 = none         optional
//   ROOT/SPLIT/SCENE.pth            torch.save of a dict of the same arrays  before
//
// The older names semantic_gt, semantic_gt20, semantic_gt200 and instance_gt are read as segment,
// segment20, segment200 and instance. A split may be a JSON file instead: a list of scenes below
// ROOT ("Area_1/hallway_3"). Each scene is a group. NaN points are dropped with a warning.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

struct PointceptParams {
  std::string root, domain, source, segment = "segment";
  ConfigNode splits;
  std::vector<std::string> classes;
  bool synthetic = false;
  static void declare(Fields<PointceptParams>& f);
};

class PointceptDataset : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such folder or list, no scene, a list that names what
  /// is not there, a scene in both layouts.
  explicit PointceptDataset(const PointceptParams& params);

  int64_t size() const override { return static_cast<int64_t>(scenes_.size()); }
  SampleInfo sample_info(int64_t index) const override { return scenes_.at(index); }
  /// Errors name file and array: missing coord, wrong shape, type or number of points, labels
  /// that are no class, labels without `classes`.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }
  /// As get, with the labels as they are stored.
  Sample raw(int64_t index, bool warn) const;

 private:
  void list_split(const std::string& split, const std::string& source);
  void add_scene(const std::string& uri, const std::string& split, const std::string& where);

  std::filesystem::path root_;
  PointceptParams params_;
  std::vector<SampleInfo> scenes_;
  DatasetInfo info_;
};

Layout pointcept_layout();

}  // namespace switchyard
