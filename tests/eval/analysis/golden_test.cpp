#include "tests/test.h"

#include <cstdlib>

#include "tests/eval/analysis/golden_support.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::vector<std::filesystem::path> cases_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// Compares one case; returns false for a kind that this layer does not compute.
bool compare_case(const std::filesystem::path& path) {
  const Json golden = read_json(path);
  const std::string kind = golden["kind"];
  const auto on_trace = trace_kinds().find(kind), plain = statistics_kinds().find(kind);
  Json got;
  if (on_trace != trace_kinds().end())
    got = on_trace->second(golden, golden_trace(path.parent_path() / golden["trace"]));
  else if (plain != statistics_kinds().end())
    got = plain->second(golden, {});
  else
    return false;
  INFO(path.filename().string());
  CHECK(difference(got, golden["expected"], golden["tolerance"]["reals"]) == "");
  return true;
}

int compare_folder(const std::filesystem::path& folder) {
  int compared = 0;
  for (const auto& path : cases_in(folder)) compared += compare_case(path);
  return compared;
}

}  // namespace

TEST_CASE("analysis golden cases", "[analysis]") {
  CHECK(compare_folder(data_dir() / "golden" / "analysis") >= 20);
  const char* more = variable_or_warn("SWITCHYARD_GOLDEN");
  if (more == nullptr) return;
  const int compared = compare_folder(std::filesystem::path(more) / "analysis");
  INFO(compared << " cases of " << more);
  CHECK(compared > 0);
}

TEST_CASE("the golden comparison notices one changed value of each kind", "[analysis]") {
  for (const auto& path : cases_in(data_dir() / "golden" / "analysis")) {
    const Json expected = read_json(path)["expected"];
    Json flat = expected.flatten();
    for (auto& value : flat) {
      if (!value.is_number()) continue;
      value = value.is_number_integer() ? Json(value.get<int64_t>() + 1)
                                        : Json(value.get<double>() + 1e-3);
      break;
    }
    INFO(path.filename().string());
    CHECK(difference(flat.unflatten(), expected, 1e-6) != "");
  }
}
