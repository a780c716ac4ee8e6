#include <algorithm>

#include "core/base/text.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"

namespace switchyard {

std::string trace_sample(const Routing& routing) {
  int64_t tokens = 0;
  for (int64_t n : routing.trace.tokens_by_domain()) tokens += n;
  const auto domains = routing.trace.domains.size();
  return cat(count_text(tokens), " tokens, ", domains, domains == 1 ? " domain, " : " domains, ",
             count_text(routing.trace.sequences()), " sequences");
}

std::string sample_commands(const ReportData& data) {
  return cat("switchyard sample ", data.shown.folder.string(), "\nswitchyard report ",
             data.folder.string());
}

void mark_untraced(Figure& figure, const ReportData& data) {
  figure.empty = "No routing trace was recorded.";
  figure.how = cat("switchyard eval ", data.shown.folder.string(),
                   " trace.enabled=true\nswitchyard report ", data.folder.string());
}

std::string expert_name(int64_t expert) { return cat("E", expert); }

std::string expert_address(int64_t layer, int64_t expert) { return cat("L", layer, ".E", expert); }

Svg expert_legend(const OverlayLayer& layer) {
  constexpr double kEntry = 54;
  const size_t named = std::min<size_t>(layer.track.size(), 16);
  Svg svg(kEntry * static_cast<double>(named + 1) + 420, 20);
  for (size_t e = 0; e < layer.track.size(); ++e) {
    const int64_t t = layer.track[e];
    if (t < 0 || t >= 16) continue;
    const std::string name = expert_name(static_cast<int64_t>(e));
    svg.about(expert_address(layer.index, static_cast<int64_t>(e)));
    svg.rect(kEntry * static_cast<double>(t), 4, 11, 11, expert_class(t),
             cat("isolate ", name, " of layer ", layer.index));
    svg.text(kEntry * static_cast<double>(t) + 16, 14, name);
  }
  svg.about("");
  svg.rect(kEntry * static_cast<double>(named), 4, 11, 11, "x");
  svg.text(kEntry * static_cast<double>(named) + 16, 14,
           cat("other or none; colours follow the flow, numbers are those of layer ", layer.index),
           "s g");
  return svg;
}

}  // namespace switchyard
