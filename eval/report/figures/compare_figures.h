#pragma once
// The parts of figure 13.

#include "eval/report/figure.h"
#include "eval/report/report_data.h"

namespace switchyard {

/// The first arm (moe) of both on one domain.
struct ComparedScore {
  std::string domain;
  bool seen = true;
  Row a, b;               ///< per seed
  Difference difference;  ///< B - A, Welch; no interval under three seeds
};
/// Domains that both evaluated with the same role, unseen first. Needs both summaries.
std::vector<ComparedScore> compared_scores(const ReportData& a, const ReportData& b);

Figure compare_scores_figure(const ReportData& a, const ReportData& b);
Figure compare_share_figure(const ReportData& a, const ReportData& b);
Figure compare_nmi_figure(const ReportData& a, const ReportData& b);
Figure compare_config_figure(const ReportData& a, const ReportData& b);

}  // namespace switchyard
