#include "apps/parameter_count.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/moe/site_info.h"

namespace switchyard {
namespace {

/// "backbone.enc.enc0.block0.attn.proj" of "...attn.proj.experts.0.fc1.weight", else the name.
std::string before(const std::string& name, const std::string& part) {
  return name.substr(0, name.find(part));
}

std::string part_of(const std::string& name, const std::vector<SiteInfo>& sites) {
  for (const auto& [part, title] :
       std::vector<std::pair<std::string, std::string>>{{".experts.", "routed experts"},
                                                        {".shared_experts.", "shared experts"},
                                                        {".gate.", "routers"}}) {
    const std::string owner = before(name, part);
    const bool routed = std::any_of(sites.begin(), sites.end(),
                                    [&](const SiteInfo& s) { return owner.ends_with(s.site); });
    if (owner != name && routed) return title;
  }
  const auto words = split(name, '.');
  return words.size() < 3 ? words.front() : words[0] + "." + words[1];
}

}  // namespace

ParameterCount count_active(const Module& model, const std::map<std::string, double>& share) {
  ParameterCount out;
  for (const ParamView& view : model.views()) {
    if (!view.trainable) continue;
    const int64_t n = view.value().numel();
    const std::string owner = before(view.name, ".experts.");
    double used = 1;
    for (const auto& [site, fraction] : share) {
      if (owner != view.name && owner.ends_with(site)) used = fraction;
    }
    out.total += n;
    out.active += static_cast<double>(n) * used;
  }
  return out;
}

std::map<std::string, double> selector_share(const Module& model) {
  std::map<std::string, double> share;
  for (const SiteInfo& s : moe_sites(model)) share[s.site] = s.k / static_cast<double>(s.experts);
  return share;
}

std::vector<std::pair<std::string, int64_t>> parameters_by_part(const Module& model) {
  const auto sites = moe_sites(model);
  std::vector<std::pair<std::string, int64_t>> parts;
  for (const ParamView& view : model.views()) {
    if (!view.trainable) continue;
    const std::string name = part_of(view.name, sites);
    auto found = std::find_if(parts.begin(), parts.end(),
                              [&](const auto& part) { return part.first == name; });
    if (found == parts.end()) found = parts.insert(parts.end(), {name, 0});
    found->second += view.value().numel();
  }
  return parts;
}

}  // namespace switchyard
