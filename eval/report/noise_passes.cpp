#include "eval/report/noise_passes.h"

#include <set>

#include "core/base/text.h"
#include "eval/report/number.h"

namespace switchyard {
namespace {

NoisePasses passes_of(const ReportData& data, const TraceView& trace,
                      const std::vector<SequenceCounts>& counts, bool made) {
  std::vector<std::string> sites;
  for (const TraceSite& site : trace.sites) sites.push_back(site.name);
  return {trace,
          counts,
          made,
          noise_levels(trace),
          pass_kinds(trace),
          overlay_layers(data.layers, sites)};
}

}  // namespace

std::optional<NoisePasses> noise_passes(const ReportData& data) {
  if (data.sampling && data.sampling->trace && !data.sampling->trace->time.empty())
    return passes_of(data, *data.sampling->trace, data.sampling->counts, true);
  if (data.routing && !data.routing->trace.time.empty())
    return passes_of(data, data.routing->trace, data.routing->counts, false);
  return std::nullopt;
}

std::string sample_of(const NoisePasses& passes, const Indices& shown) {
  std::set<std::pair<std::string, int64_t>> pictures;
  for (int64_t s : shown)
    pictures.emplace(item_of(passes.trace.uris[static_cast<size_t>(s)]),
                     passes.made ? 0 : passes.trace.domain[static_cast<size_t>(s)]);
  return cat(count_text(static_cast<int64_t>(shown.size())), " passes of ",
             count_text(static_cast<int64_t>(pictures.size())),
             passes.made ? " pictures, made at step " : " test pictures at step ",
             count_text(passes.trace.step));
}

}  // namespace switchyard
