#pragma once
// How the short groups moe, router and experts fill the node model.moe: one MoEConfig for all
// sites, or a map from site name to MoEConfig.

#include <string>

#include "core/config/merge.h"

namespace switchyard {

/// True for a map from site names to MoEConfigs: all its values are maps, none is a MoEConfig
/// field.
bool is_site_map(const ConfigNode& moe);

/// Puts a preset in place. `group`: moe, router or experts, with "@SITE" for one site.
void fill_moe(MergedConfig& config, const std::string& group, const ConfigNode& preset,
              const std::string& where);

}  // namespace switchyard
