#include "core/moe/site_info.h"

#include <algorithm>

#include "core/moe/sub_layer.h"

namespace switchyard {

bool SiteInfo::oracle() const {
  return std::find(reads.begin(), reads.end(), "domain_id") != reads.end();
}

std::vector<SiteInfo> moe_sites(const Module& model) {
  std::vector<SiteInfo> out;
  for (const Module* module : model.modules()) {
    const auto* layer = dynamic_cast<const SubLayer*>(module);
    if (!layer) continue;
    if (auto info = layer->site_info()) out.push_back(std::move(*info));
  }
  return out;
}

}  // namespace switchyard
