#pragma once
// Spinning LiDAR with 32 beams (HDL-32E angle table): 5 frames on a straight walk.

#include "datasets/point_cloud/scan/sensor.h"

namespace switchyard::scan {

class SpinSensor : public Sensor {
 public:
  bool has_color() const override { return false; }
  bool has_intensity() const override { return true; }
  std::vector<ScanPoint> scan(const ScanRoom& room, RandomStream random) const override;
};

}  // namespace switchyard::scan
