#pragma once
// Golden cases of the routing analyses (format "analysis-golden/1"): the trace layout they use, and
// the comparison rule |x - ref| <= tolerance max(1, |ref|).

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/io/json.h"
#include "eval/analysis/nulls.h"
#include "eval/analysis/trace_view.h"

namespace switchyard::test {

/// A golden trace as a TraceView (one level; rooms become groups).
TraceView golden_trace(const std::filesystem::path& path);

/// First difference between the two, or "". NaN equals null; integers, booleans, strings are exact.
std::string difference(const Json& got, const Json& expected, double tolerance,
                       const std::string& at = "");

using KindFunction = std::function<Json(const Json& golden, const TraceView& trace)>;
const std::map<std::string, KindFunction>& trace_kinds();
const std::map<std::string, KindFunction>& statistics_kinds();

/// Kinds of figures 6 to 13 (golden_figures.cpp).
Json coactivation_kind(const Json& golden, const TraceView& trace);
Json labels_kind(const Json& golden, const TraceView& trace);
Json margins_kind(const Json& golden, const TraceView& trace);
Json stability_kind(const Json& golden, const TraceView& trace);
Json ab_match_kind(const Json& golden, const TraceView& trace);

/// NaN becomes null.
Json reals(const Row& values);

}  // namespace switchyard::test
