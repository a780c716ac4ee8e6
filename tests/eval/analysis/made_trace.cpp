#include "tests/eval/analysis/made_trace.h"

#include "core/base/random.h"
#include "core/base/text.h"

namespace switchyard::test {
namespace {

void add_token(TraceSite& site, int64_t first, RandomStream& stream) {
  const int64_t second = (first + 1 + stream.below(site.experts - 1)) % site.experts;
  site.slot.push_back(static_cast<int16_t>(first));
  site.slot.push_back(static_cast<int16_t>(second));
  site.weight.insert(site.weight.end(), {0.75, 0.25});
  site.token_offset.push_back(static_cast<int64_t>(site.slot.size()));
}

}  // namespace

TraceView made_trace(const MadeTrace& options) {
  RandomStream stream(7, "made trace");
  TraceView out;
  TraceLevel level;
  level.seq_offset = {0};
  for (int64_t c = 0; c < options.classes; ++c) out.classes.push_back(cat("class", c));
  for (int64_t i = 0; i < options.sites; ++i) {
    TraceSite site;
    site.name = cat("site", i);
    site.experts = options.experts;
    site.k = 2;
    site.token_offset = {0};
    out.sites.push_back(site);
  }
  for (int64_t d = 0; d < options.domains; ++d) {
    out.domains.push_back({cat("domain", d), d + 1 < options.domains});
    for (int64_t g = 0; g < options.groups; ++g) {
      const int64_t group = options.shared_groups ? g : d * options.groups + g;
      while (group >= static_cast<int64_t>(out.groups.size()))
        out.groups.push_back(cat("group", out.groups.size()));
      out.domain.push_back(d);
      out.group.push_back(group);
      out.uris.push_back(cat("scan", d, "-", g));
      level.seq_offset.push_back(level.seq_offset.back() + options.tokens);
      for (int64_t t = 0; t < options.tokens; ++t) {
        level.label.push_back(static_cast<int32_t>(stream.below(options.classes)));
        for (int64_t i = 0; i < options.sites; ++i) {
          const bool decided = options.planted && i == 0 && stream.chance(0.8);
          add_token(out.sites[i], decided ? d % options.experts : stream.below(options.experts),
                    stream);
        }
      }
    }
  }
  out.levels.push_back(level);
  return out;
}

}  // namespace switchyard::test
