#include "datasets/point_cloud/grid_sample.h"
#include "datasets/point_cloud/transforms/choose.h"
#include "datasets/point_cloud/transforms/chromatic.h"
#include "datasets/point_cloud/transforms/elastic.h"
#include "datasets/point_cloud/transforms/jitter.h"
#include "datasets/point_cloud/transforms/rotate.h"
#include "datasets/point_cloud/transforms/scale_flip.h"
#include "datasets/point_cloud/transforms/shift.h"

namespace switchyard {

Registry<PointTransform>& point_transforms() {
  static Registry<PointTransform> registry("transform");
  return registry;
}

void register_point_transforms() {
  if (point_transforms().find("center_shift")) return;
  register_shift();
  register_rotate();
  register_scale_flip();
  register_jitter();
  register_elastic();
  register_chromatic();
  register_choose();
  register_grid_sample();
}

}  // namespace switchyard
