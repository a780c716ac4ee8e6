#pragma once
// Surrogate of multi-view stereo: holes on plain walls, glass and grazing views, wavy poor texture,
// rounded edges. All rates are our choice.

#include "datasets/point_cloud/scan/sensor.h"

namespace switchyard::scan {

class PhotoSensor : public Sensor {
 public:
  bool has_color() const override { return true; }
  bool has_intensity() const override { return false; }
  std::vector<ScanPoint> scan(const ScanRoom& room, RandomStream random) const override;
};

}  // namespace switchyard::scan
