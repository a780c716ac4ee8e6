#pragma once
// Rosette LiDAR (Livox Mid-70 class, thin prisms; rates from HELIOS++, model Brazeal et al. 2021):
// 8 dwells of 0.4 s from 2 standpoints.

#include "datasets/point_cloud/scan/sensor.h"

namespace switchyard::scan {

class LivoxSensor : public Sensor {
 public:
  bool has_color() const override { return false; }
  bool has_intensity() const override { return true; }
  std::vector<ScanPoint> scan(const ScanRoom& room, RandomStream random) const override;
};

}  // namespace switchyard::scan
