#include "core/base/text.h"
#include "eval/report/figures/figures.h"
#include "eval/report/number.h"

namespace switchyard {

std::string trace_sample(const Routing& routing) {
  int64_t tokens = 0;
  for (int64_t n : routing.trace.tokens_by_domain()) tokens += n;
  const auto domains = routing.trace.domains.size();
  return cat(count_text(tokens), " tokens, ", domains, domains == 1 ? " domain, " : " domains, ",
             count_text(routing.trace.sequences()), " sequences");
}

void mark_untraced(Figure& figure, const ReportData& data) {
  figure.empty = "No routing trace was recorded.";
  figure.how = cat("switchyard eval ", data.shown.folder.string(),
                   " trace.enabled=true\nswitchyard report ", data.folder.string());
}

std::string expert_name(int64_t expert) { return cat("E", expert); }

std::string expert_address(int64_t layer, int64_t expert) { return cat("L", layer, ".E", expert); }

}  // namespace switchyard
