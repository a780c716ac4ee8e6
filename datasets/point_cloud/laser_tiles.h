#pragma once
// Tiles of laser surveys (mobile, airborne) as compressed records:
//
//   ROOT/DOMAIN/NAME.pts16.gz    gzip of 16-byte little-endian records: float32 x, y, z (m),
//                                uint16 raw label, uint8 common label, uint8 intensity
//
// The folder is the data domain, every tile a group of its own. Samples hold coord, segment and,
// where any point of the tile has one, intensity (0..1). There is no sensor position. Points that
// are NaN or infinite are dropped with a warning that names the file.

#include "core/base/params.h"
#include "datasets/class_map.h"
#include "datasets/dataset.h"

namespace switchyard {

struct LaserTilesParams {
  std::string root, source, labels = "common";
  std::vector<std::string> test;
  ConfigNode class_map;
  static void declare(Fields<LaserTilesParams>& f);
};

class LaserTiles : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such folder, no tile, a pattern of `test` that matches
  /// no tile.
  explicit LaserTiles(const LaserTilesParams& params);

  int64_t size() const override { return static_cast<int64_t>(tiles_.size()); }
  SampleInfo sample_info(int64_t index) const override { return tiles_.at(index).info; }
  /// Errors: a damaged file, a size that is no multiple of a record, a label without a class.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  struct Tile {
    SampleInfo info;
    std::filesystem::path path;
  };
  bool common_labels_;
  ClassMap class_map_;
  std::vector<Tile> tiles_;
  DatasetInfo info_;
};

}  // namespace switchyard
