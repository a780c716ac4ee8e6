#pragma once
// The two sentences of the first screen. Words are fixed: "beats" and "loses to" only where the 95
// % interval over at least three seeds excludes zero.

#include <string>

#include "eval/report/report_data.h"

namespace switchyard {

/// HTML: did it generalise to domains it never saw?
std::string generalisation_answer(const ReportData& data);
/// HTML: which experts handled what?
std::string routing_answer(const ReportData& data);

}  // namespace switchyard
