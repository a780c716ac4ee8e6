#pragma once

namespace switchyard {

/// Kind `metrics` of the set point_moe.
void register_metric_golden();

}  // namespace switchyard
