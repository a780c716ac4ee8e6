#include "core/config/moe_sites.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/config/folders.h"

namespace switchyard {
namespace {

const std::string kMoE = "model.moe";

std::vector<std::string> site_names(const ConfigNode& moe) {
  std::vector<std::string> names;
  for (const auto& [name, node] : moe.as_map()) names.push_back(name);
  return names;
}

/// Dotted keys of the MoEConfigs that a preset fills.
std::vector<std::string> target_paths(const MergedConfig& config, const std::string& site,
                                      const std::string& where) {
  const ConfigNode* moe = config.root().find_path(kMoE);
  const bool empty = !moe || moe->is_null();
  const bool by_site = !empty && is_site_map(*moe);
  if (site.empty() && !by_site) return {kMoE};
  if (!site.empty()) {
    check(empty || by_site, where, "no site '", site, "': model.moe is one setting for all sites");
    if (by_site) check_name(where, "MoE site", site, site_names(*moe));
    return {join_path(kMoE, site)};
  }
  std::vector<std::string> paths;
  for (const auto& name : site_names(*moe)) paths.push_back(join_path(kMoE, name));
  return paths;
}

/// Merges a MoEConfig, except that router and experts, being complete presets, replace. An empty
/// one clears.
void fill_layer(MergedConfig& config, const std::string& path, const ConfigNode& layer) {
  if (layer.as_map().empty()) return config.replace(path, layer);
  for (const auto& [key, node] : layer.as_map()) {
    const bool whole = key == "router" || key == "experts";
    whole ? config.replace(join_path(path, key), node) : config.merge(join_path(path, key), node);
  }
}

}  // namespace

bool is_site_map(const ConfigNode& moe) {
  if (!moe.is_map() || moe.as_map().empty()) return false;
  const auto& items = moe.as_map();
  return std::all_of(items.begin(), items.end(), [](const auto& item) {
    const bool field = item.first == "router" || item.first == "experts" ||
                       item.first == "combine" || item.first == "layers" ||
                       item.first == "names";
    return item.second.is_map() && !field;
  });
}

void fill_moe(MergedConfig& config, const std::string& group, const ConfigNode& preset,
              const std::string& where) {
  const std::string field = group_of(group), site = site_of(group);
  if (field == "moe" && site.empty() && (is_site_map(preset) || preset.as_map().empty())) {
    const ConfigNode* moe = config.root().find_path(kMoE);
    if (!moe || !is_site_map(*moe) || !is_site_map(preset)) return config.replace(kMoE, preset);
    for (const auto& [name, layer] : preset.as_map())
      fill_layer(config, join_path(kMoE, name), layer);
    return;
  }
  for (const auto& path : target_paths(config, site, where)) {
    if (field == "moe")
      fill_layer(config, path, preset);
    else
      config.replace(join_path(path, field), preset);
  }
}

}  // namespace switchyard
