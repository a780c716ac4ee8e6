#pragma once
// One file per point cloud (point_file.h: .ply .pcd .xyz .xyzn .xyzrgb):
//
//   ROOT/<domain>/<split>/<name>.ply      or, with the parameter `domain`, ROOT/<name>.ply
//
// positions become coord, colors color, normals normal, intensity and a label property of the
// file their own. Colours from 0 to 1 are taken from .xyzrgb only, whose format says so. Each file
// is a group. NaN points are dropped with a warning. PLY and PCD need Open3D.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

struct PointFilesParams {
  std::string root, domain, split = "test", source, segment = "label";
  std::vector<std::string> classes;
  bool synthetic = false;
  static void declare(Fields<PointFilesParams>& f);
};

class PointFilesDataset : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such folder, no file.
  explicit PointFilesDataset(const PointFilesParams& params);

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  SampleInfo sample_info(int64_t index) const override { return files_.at(index); }
  /// Errors name the file: see read_point_file; labels that are no class.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  void list_folder(const std::string& folder, const std::string& domain, const std::string& split);

  std::filesystem::path root_;
  std::string segment_;
  std::vector<SampleInfo> files_;
  DatasetInfo info_;
};

/// ROOT/<domain>/<split>/<name>.ply and ROOT/<name>.ply.
Layout point_files_layout();
Layout point_files_flat_layout();

}  // namespace switchyard
