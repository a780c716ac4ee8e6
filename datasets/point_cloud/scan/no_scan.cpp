// Stands in for the simulator in builds without its libraries.

#include "datasets/point_cloud/scan/scan_dataset.h"

namespace switchyard {

void register_scan_dataset(Registry<Dataset>& registry) {
  registry.add<ScanParams>(
      "scan", "furnished rooms seen by five simulated sensors (not in this build)",
      [](const ScanParams&) -> std::unique_ptr<Dataset> {
        fail("dataset", "this build has no scan simulator: needs Embree, OpenCV imgcodecs, libzip");
      });
}

}  // namespace switchyard
