#include "tests/test.h"

#include <fstream>
#include <map>

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

const std::map<std::string, int> kRank = {{"core", 0},    {"routers", 1}, {"datasets", 1},
                                          {"domains", 2}, {"eval", 3},    {"apps", 4}};

/// What is wrong with an include of `path` (from the root) in a file of the tree, or "".
std::string include_fault(const fs::path& file, const fs::path& path) {
  const std::string from = file.begin()->string(), to = path.begin()->string();
  if (!kRank.count(from) || !kRank.count(to) || from == to) {
    const auto second = [](const fs::path& p) { return std::next(p.begin()); };
    const bool modalities = from == "domains" && to == "domains" &&
                            std::next(second(file)) != file.end() &&
                            std::next(second(path)) != path.end() && *second(file) != *second(path);
    return modalities ? "includes another modality" : "";
  }
  return kRank.at(to) >= kRank.at(from) ? "includes upwards" : "";
}

std::string included_path(const std::string& line) {
  if (line.rfind("#include ", 0) != 0 || line.size() < 11) return "";
  return line.substr(10, line.find_first_of("\">", 10) - 10);
}

}  // namespace

TEST_CASE("includes point down only, and headers stay light", "[layers]") {
  int64_t files = 0;
  for (const auto& [layer, rank] : kRank) {
    for (const auto& entry :
         fs::recursive_directory_iterator(source_dir() / layer)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
      const fs::path file = fs::relative(entry.path(), source_dir());
      ++files;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const std::string path = included_path(line);
        if (path.empty()) continue;
        INFO(file << ": " << line);
        CHECK(include_fault(file, path) == "");
        CHECK(path.find("catch") == std::string::npos);
        if (extension == ".h") {
          for (const char* heavy : {"torch/torch.h", "torch/nn.h", "ATen/ATen.h"})
            CHECK(path != heavy);
        }
      }
    }
  }
  CHECK(files > 200);
}

TEST_CASE("the include check finds what it should", "[layers]") {
  CHECK(include_fault("core/moe/layer.cpp", "routers/register.h") == "includes upwards");
  CHECK(include_fault("routers/register.cpp", "datasets/dataset.h") == "includes upwards");
  CHECK(include_fault("domains/audio/model/codec.cpp", "domains/point_cloud/loss.h") ==
        "includes another modality");
  CHECK(include_fault("domains/registry.cpp", "domains/point_cloud/register.h") == "");
  CHECK(include_fault("eval/study/study.cpp", "core/io/json.h") == "");
}
