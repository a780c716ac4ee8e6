#include "datasets/registry.h"

namespace switchyard {

Registry<Dataset>& datasets() {
  static Registry<Dataset> registry("dataset");
  return registry;
}

}  // namespace switchyard
