#include "tests/test.h"

#include <ATen/ops/tensor.h>

#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "eval/analysis/trace_view.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

// Two sequences, two levels: 4 fine tokens in 2 + 2, 3 coarse ones in 1 + 2.
struct SmallTrace {
  Json head = parse_json(R"({"schema": "switchyard.trace/1", "split": "val", "step": 12,
    "domains": [{"name": "a", "seen": true}, {"name": "b", "seen": false}], "classes": ["x", "y"],
    "groups": ["room"], "uris": ["s0", "s1"], "levels": 2, "sampling": "all",
    "sites": [{"name": "enc0", "level": 0, "experts": 2, "k": 1},
              {"name": "enc1", "level": 1, "experts": 3, "k": 2}]})",
                         "head");
  std::map<std::string, at::Tensor> tensors{
      {"seq.domain", longs({0, 1})},
      {"seq.group", longs({0, -1})},
      {"level0.seq_offset", longs({0, 2, 4})},
      {"level1.seq_offset", longs({0, 1, 3})},
      {"level0.label", longs({0, 1, -1, 1})},
      {"level1.member_of", longs({0, 0, 1, 2})},
      {"site0.token_offset", longs({0, 1, 2, 3, 4})},
      {"site0.slot", shorts({0, 1, 1, 0})},
      {"site0.weight", halves({1, 1, 1, 1})},
      {"site1.token_offset", longs({0, 2, 4, 5})},
      {"site1.slot", shorts({2, 0, 1, 0, 3})},
      {"site1.weight", halves({0.5, 0.5, 0.25, 0.75, 1})},
      {"site1.scores", halves({3, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 2}).reshape({3, 4})}};

  static at::Tensor longs(std::vector<int64_t> v) { return at::tensor(v, at::kLong); }
  static at::Tensor shorts(std::vector<int64_t> v) {
    return at::tensor(v, at::kLong).to(at::kShort);
  }
  static at::Tensor halves(std::vector<double> v) {
    return at::tensor(v, at::kDouble).to(at::kHalf);
  }

  TraceView load(const TempDir& folder) const {
    const auto path = folder / "trace.safetensors";
    write_safetensors(path, {tensors.begin(), tensors.end()}, {{"switchyard", head.dump()}});
    return load_trace(path);
  }
};

}  // namespace

TEST_CASE("a trace file reads back as plain arrays", "[analysis]") {
  const TempDir folder;
  const TraceView trace = SmallTrace().load(folder);
  CHECK(trace.step == 12);
  CHECK(trace.sequences() == 2);
  CHECK_FALSE(trace.domains[1].seen);
  CHECK(trace.group == std::vector<int64_t>{0, -1});
  CHECK(trace.tokens_by_domain() == std::vector<int64_t>{2, 2});
  CHECK(trace.levels[1].member_of == std::vector<int64_t>{0, 0, 1, 2});
  const TraceSite& site = trace.sites[1];
  CHECK(site.nulls == 1);
  CHECK(site.first_choice(0) == 0);  // equal weights: the lower id
  CHECK(site.first_choice(1) == 0);
  CHECK(site.first_choice(2) == -1);  // a null slot only
  CHECK(site.scores[0] == 0.75);      // rows are scaled to sum 1
}

TEST_CASE("damaged traces are named errors", "[analysis]") {
  const TempDir folder;
  const auto message = [&](const std::function<void(SmallTrace&)>& damage) {
    SmallTrace trace;
    damage(trace);
    return error_of([&] { trace.load(folder); });
  };
  using S = SmallTrace;
  CHECK(message([](S& t) { t.head["schema"] = "other/1"; }).find("schema") != std::string::npos);
  CHECK(message([](S& t) { t.head.erase("uris"); }).find("uris") != std::string::npos);
  CHECK(message([](S& t) { t.head["uris"] = 3; }).find("uris") != std::string::npos);
  CHECK(message([](S& t) { t.head["levels"] = -1; }).find("levels") != std::string::npos);
  CHECK(message([](S& t) { t.head["sites"][1]["level"] = 7; }).find("site1") != std::string::npos);
  CHECK(message([](S& t) { t.head["sites"][1]["experts"] = 0; }).find("site1") !=
        std::string::npos);
  const std::vector<std::pair<std::string, at::Tensor>> damaged{
      {"seq.domain", S::longs({0, 2})},
      {"seq.domain", S::longs({0})},
      {"seq.group", S::longs({0, 1})},
      {"level0.seq_offset", S::longs({0, 3, 2})},
      {"level0.seq_offset", S::longs({})},
      {"level0.seq_offset", S::longs({0, 2, int64_t{1} << 60})},
      {"level0.label", S::longs({0, 1, 2, 1})},
      {"level0.label", S::longs({0, 1, int64_t{1} << 40, 1})},
      {"level1.member_of", S::longs({0, 0, 1, 3})},
      {"level1.member_of", S::longs({0})},
      {"site0.token_offset", S::longs({0, 1, 2, 3, 5})},
      {"site0.token_offset", S::longs({-4, 1, 2, 3, 4})},
      {"site0.slot", S::shorts({0, -1, 1, 0})},
      {"site0.slot", S::halves({0, 1, 1, 0})},
      {"site0.weight", S::halves({1, 1, 1})},
      {"site0.weight", S::halves({1, 1, 1, 1e9})},
      {"site1.scores", S::halves({1, 1, 1}).reshape({3, 1})},
      {"site1.scores", S::halves({1, 1, 1})}};
  for (const auto& [name, tensor] : damaged) {
    const std::string found = message([&](S& t) { t.tensors[name] = tensor; });
    INFO(name << ": " << found);
    CHECK(found.find(name.substr(0, 4)) != std::string::npos);  // "seq.", "leve", "site"
  }
}

TEST_CASE("a file that is no trace is a named error", "[analysis]") {
  const TempDir folder;
  write_safetensors(folder / "x.safetensors", {{"a", SmallTrace::longs({1})}});
  CHECK_FALSE(error_of([&] { load_trace(folder / "x.safetensors"); }).empty());
  CHECK_FALSE(error_of([&] { load_trace(folder / "none.safetensors"); }).empty());
}
