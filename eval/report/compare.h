#pragma once
// Figure 13: two runs side by side. Experts of B are matched to those of A by what they handle;
// names and places are A's.

#include <array>

#include "eval/report/page.h"
#include "eval/report/report_data.h"

namespace switchyard {

/// Why scores of the two must not be compared (protocol, metric or data differ), "" if they may.
std::string not_comparable(const ReportData& a, const ReportData& b);

/// Keys whose resolved values differ: (path, value of A, value of B), "–" where one lacks it.
std::vector<std::array<std::string, 3>> config_differences(const ConfigNode& a,
                                                           const ConfigNode& b);

/// Page of figures ab-summary, ab-share, ab-nmi and ab-config.
Page compare_page(const ReportData& a, const ReportData& b);

}  // namespace switchyard
