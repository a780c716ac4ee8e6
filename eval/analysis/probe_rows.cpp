#include "eval/analysis/probe_rows.h"

namespace switchyard {

Row ProbeRows::balanced_weights() const {
  Row count(labels);
  for (int64_t label : this->label) count[label] += 1;
  int64_t used = 0;
  for (double n : count) used += n > 0;
  for (double& n : count) n = n > 0 ? 1 / (n * used) : 0;
  return count;
}

}  // namespace switchyard
