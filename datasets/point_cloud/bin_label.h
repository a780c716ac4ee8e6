#pragma once
// Driving scans in the file formats of SemanticKITTI, sorted by sensor and split:
//
//   ROOT/SENSOR/SPLIT/velodyne/NAME.bin    float32 x, y, z (m, sensor frame), intensity (0..1) per
//   point ROOT/SENSOR/SPLIT/labels/NAME.label    uint32 per point; the low 16 bits are the raw
//   label id
//
// The sensor is the data domain, SENSOR/SPLIT (one drive) the group. A split without a labels
// folder is unlabelled. Raw ids differ between sensors: each labelled sensor needs its own class
// map. Samples hold coord, intensity, origin (zeros: the sensor is the origin of the frame) and
// segment. NaN points are dropped with a warning that names the file.

#include <filesystem>

#include "core/base/params.h"
#include "datasets/class_map.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

/// Keeps points with r_min < r < r_max and z_min < z < z_max; r is the distance from the sensor's
/// vertical axis, metres. Cuts returns from the own vehicle and clipped values.
struct RoiParams {
  double r_min = -std::numeric_limits<double>::infinity(),
         r_max = std::numeric_limits<double>::infinity();
  double z_min = -std::numeric_limits<double>::infinity(),
         z_max = std::numeric_limits<double>::infinity();
  static void declare(Fields<RoiParams>& f);
};

struct BinLabelParams {
  std::string root, source;
  std::vector<std::string> sensors;
  ConfigNode class_map;
  RoiParams roi;
  static void declare(Fields<BinLabelParams>& f);
};

class BinLabelDataset : public Dataset {
 public:
  /// Lists and hashes the files. Errors: no such folder or sensor, no scan, a scan without labels
  /// in a labelled split, a labelled sensor without class map, class lists that differ.
  explicit BinLabelDataset(const BinLabelParams& params);

  int64_t size() const override { return static_cast<int64_t>(scans_.size()); }
  SampleInfo sample_info(int64_t index) const override { return scans_.at(index).info; }
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return info_; }

 private:
  struct Scan {
    SampleInfo info;
    std::filesystem::path points, labels;  ///< labels: empty if the split has none
  };
  void read_class_maps(const ConfigNode& node);
  void list_split(const std::string& sensor, const std::string& split);
  void check_labelled(const Scan& scan) const;

  std::filesystem::path root_;
  RoiParams roi_;
  std::map<std::string, ClassMap> class_maps_;  ///< per sensor
  std::vector<Scan> scans_;
  DatasetInfo info_;
};

/// Points [N,4] f32 of a .bin file. Error: its size is no multiple of 16 bytes.
at::Tensor read_bin(const std::filesystem::path& path);
/// Puts coord, intensity and origin (the sensor's place, 0) of rows x, y, z, intensity [N, >= 4] f32
/// into `sample`; the intensity is divided by `full`.
void add_sensor_rows(Sample& sample, const at::Tensor& rows_N4, double full = 1);
/// What a .label file says of every point.
struct RawLabels {
  at::Tensor id, instance;  ///< [N] i64: the low and the high 16 bits
};
/// Error: wrong size for `points`.
RawLabels read_label(const std::filesystem::path& path, int64_t points);

Layout bin_label_layout();

}  // namespace switchyard
