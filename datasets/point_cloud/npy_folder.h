#pragma once
// The minimal way to bring one's own point clouds:
//
//   ROOT/classes.txt                          one class name per line; the line number (from 0) is
//   the
//                                             label. May be missing if nothing is labelled.
//   ROOT/<domain>/<split>/<sample>/coord.npy  [N,3] float16, 32 or 64, metres
//                                 /color.npy      [N,3] uint8           optional
//                                 /normal.npy     [N,3] float           optional
//                                 /intensity.npy  [N] float             optional
//                                 /origin.npy     [N,3] float, position of the sensor per point,
//                                 optional /segment.npy    [N] any integer type  optional; -1 =
//                                 ignore, in uint8 255
//
// With the parameter `domain` the layout is flat, ROOT/<sample>/coord.npy ..., and every sample has
// that domain and the parameter `split`. Each sample is a group of its own. NaN points are dropped
// with a warning that names the file.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

struct NpyFolderParams {
  std::string root, domain, split = "test", source;
  bool synthetic = false;
  static void declare(Fields<NpyFolderParams>& f);
};

class NpyFolderDataset : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such folder, no sample, labels without classes.txt.
  explicit NpyFolderDataset(const NpyFolderParams& params);

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  SampleInfo sample_info(int64_t index) const override { return samples_.at(index); }
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  void add_sample(const std::string& uri, const std::string& domain, const std::string& split);
  void list_flat(const NpyFolderParams& params);
  void list_nested();
  void read_classes();

  std::filesystem::path root_;
  std::vector<SampleInfo> samples_;
  DatasetInfo info_;
};

/// ROOT/<domain>/<split>/<sample>/ and ROOT/<sample>/.
Layout npy_folder_layout();
Layout npy_flat_layout();

}  // namespace switchyard
