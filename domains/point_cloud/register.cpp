#include "domains/point_cloud/register.h"

#include "domains/point_cloud/golden.h"
#include "domains/point_cloud/task.h"

namespace switchyard {

void register_point_cloud(Registry<Task, const ConfigNode&>& tasks) {
  tasks.add<PointTaskParams>("point_cloud_segmentation",
                             "semantic segmentation of point clouds from several sensors",
                             [](const PointTaskParams& params, const ConfigNode& root) {
                               return std::make_unique<PointCloudTask>(params, root);
                             });
  register_point_cloud_golden();
}

}  // namespace switchyard
