#pragma once
// The report of a run or study: one self-contained HTML page that works offline and without
// JavaScript, and every figure as SVG, CSV and JSON (schema "switchyard.figure/1") beside it.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace switchyard {

struct ReportInput {
  std::filesystem::path folder;           ///< study (with study.json) or run folder
  int64_t page_bytes = int64_t{8} << 20;  ///< index.html; what does not fit is named on the page
  std::filesystem::path compare = {};     ///< run or study B: also writes compare-<B>.html
};

struct ReportSummary {
  std::filesystem::path index;     ///< FOLDER/report/index.html
  std::vector<std::string> slugs;  ///< figures in page order
  int64_t bytes = 0;               ///< of index.html
};

/// Reads what the folder holds; a part that was not recorded becomes a note with the command that
/// records it. Errors: not a run or study folder, damaged files.
ReportSummary write_report(const ReportInput& input);

}  // namespace switchyard
