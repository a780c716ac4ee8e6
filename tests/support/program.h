#pragma once
// Runs the program itself, on data small enough for a test.

#include <filesystem>
#include <string>
#include <vector>

namespace switchyard::test {

struct Result {
  int code = -1;
  std::string output;
};

/// Output and exit code of a shell command, run in the source tree.
Result run_command(const std::string& command);
/// `switchyard ARGS`; `streams`: what of its output to keep.
Result run(const std::string& args, const std::string& streams = "2>&1");

struct CloudCounts {
  int64_t train = 2, test = 2, points = 3000;  ///< scans of each domain, points of each scan
};

/// Noisy boxes on a floor in the npy_folder layout, one sensor per domain.
void write_clouds(const std::filesystem::path& root,
                  const std::vector<std::string>& domains = {"near", "far"},
                  const CloudCounts& counts = {});

}  // namespace switchyard::test
