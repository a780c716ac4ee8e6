#include "apps/register_all.h"

#include "datasets/image/golden.h"
#include "datasets/point_cloud/scan/scan_dataset.h"
#include "datasets/registry.h"
#include "domains/registry.h"
#include "eval/metrics/golden.h"
#include "routers/golden.h"
#include "routers/register.h"

namespace switchyard {

void register_all() {
  register_routers();
  register_router_golden();
  register_datasets();
  register_image_golden();
  register_scan_dataset(datasets());
  register_domains();
  register_metric_golden();
}

}  // namespace switchyard
