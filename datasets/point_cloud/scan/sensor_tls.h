#pragma once
// Terrestrial laser scanner: 2 stations, 0.6 degree steps. Noise grows with weak signal
// (Soudarissanane et al. 2009, Schmitz et al. 2019).

#include "datasets/point_cloud/scan/sensor.h"

namespace switchyard::scan {

class TlsSensor : public Sensor {
 public:
  bool has_color() const override { return true; }
  bool has_intensity() const override { return true; }
  std::vector<ScanPoint> scan(const ScanRoom& room, RandomStream random) const override;
};

}  // namespace switchyard::scan
