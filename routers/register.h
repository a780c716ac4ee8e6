#pragma once

namespace switchyard {

/// Adds every stage of this folder to the registries of core/moe/router.h. Further calls do
/// nothing.
void register_routers();

}  // namespace switchyard
