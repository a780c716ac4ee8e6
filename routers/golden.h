#pragma once

namespace switchyard {

/// Golden kind `moe_layer` of set `point_moe`. Further calls do nothing.
void register_router_golden();

}  // namespace switchyard
