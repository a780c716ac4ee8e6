#pragma once

namespace switchyard {

/// Registers the kinds topp_router, null_experts and capacity_router of the set routing.
void register_sparse_golden_kinds();

}  // namespace switchyard
