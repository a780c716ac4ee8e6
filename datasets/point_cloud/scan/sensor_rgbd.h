#pragma once
// Structured-light depth camera (Kinect v1 class): 3 standpoints x 6 views of 128 x 96 pixels.
// Noise: Nguyen, Izadi, Lovell 2012; disparity steps: Khoshelham, Elberink 2012. Other rates are
// our choice.

#include "datasets/point_cloud/scan/sensor.h"

namespace switchyard::scan {

class RgbdSensor : public Sensor {
 public:
  bool has_color() const override { return true; }
  bool has_intensity() const override { return false; }
  std::vector<ScanPoint> scan(const ScanRoom& room, RandomStream random) const override;
};

}  // namespace switchyard::scan
