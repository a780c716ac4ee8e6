#include "tests/support/program.h"

#include <sys/wait.h>
#include <cstdio>

#include "core/base/random.h"
#include "core/io/file.h"
#include "core/io/npy.h"
#include "tests/test.h"

namespace switchyard::test {
namespace {

void write_scan(const std::filesystem::path& folder, RandomStream stream, int64_t points) {
  at::Tensor coord = at::empty({points, 3}), label = at::empty({points}, at::kLong);
  for (int64_t i = 0; i < points; ++i) {
    const bool box = i % 3 == 0;
    float* p = coord.data_ptr<float>() + 3 * i;
    p[0] = float(stream.uniform(0, box ? .8 : 4));
    p[1] = float(stream.uniform(0, box ? .8 : 4));
    p[2] = float(box ? stream.uniform(.2, .8) : stream.normal(0, .01));
    label.data_ptr<int64_t>()[i] = box;
  }
  write_npy(folder / "coord.npy", coord);
  write_npy(folder / "segment.npy", label);
  write_npy(folder / "color.npy", at::full({points, 3}, 100, at::kByte));
}

}  // namespace

std::filesystem::path source_dir() { return SWITCHYARD_SOURCE_DIR; }

Result run_command(const std::string& command) {
  Result result;
  FILE* pipe = ::popen(cat("cd '", source_dir().string(), "' && ", command).c_str(), "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe)) result.output += buffer;
  result.code = WEXITSTATUS(::pclose(pipe));
  return result;
}

Result run(const std::string& args, const std::string& streams) {
  return run_command(cat("'", SWITCHYARD_PROGRAM, "' ", args, " ", streams));
}

void write_clouds(const std::filesystem::path& root, const std::vector<std::string>& domains,
                  const CloudCounts& counts) {
  write_text(root / "classes.txt", "floor\nbox\n");
  for (const auto& domain : domains)
    for (int64_t scan = 0; scan < counts.train + counts.test; ++scan)
      write_scan(root / domain / (scan < counts.train ? "train" : "test") / cat("scan", scan),
                 RandomStream(3, domain, uint64_t(scan)), counts.points);
}

}  // namespace switchyard::test
