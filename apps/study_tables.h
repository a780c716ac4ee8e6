#pragma once
// Tables and figures' inputs of a study, rebuilt from its cells, never appended.

#include <string>

#include "apps/run_config.h"

namespace switchyard {

/// Writes eval/table.{json,csv,md}, eval/groups.json, tables of the secondary metrics and the
/// protocol's eval/summary.{json,csv,md}. Returns the Markdown of the primary table and the
/// summary.
std::string write_study_tables(const Study& study, const RunConfig& run);
/// Measures what one input token tells about its domain: eval/probe.json of a run or study. Returns
/// lines to print.
std::string write_probe(const std::filesystem::path& folder);
/// Markdown of a single run's table, in its evaluation_folder().
std::string run_table(const std::filesystem::path& run_folder, const RunConfig& run);

}  // namespace switchyard
