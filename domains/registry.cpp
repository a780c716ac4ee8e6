#include "domains/registry.h"

#include "domains/point_cloud/register.h"

namespace switchyard {

Registry<Task, const ConfigNode&>& tasks() {
  static Registry<Task, const ConfigNode&> registry("task");
  return registry;
}

void register_domains() { register_point_cloud(tasks()); }

}  // namespace switchyard
