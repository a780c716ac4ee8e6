#include "tests/test.h"

#include "core/io/safetensors.h"
#include "core/moe/router.h"
#include "core/moe/trace_recorder.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

using Ints = std::vector<int64_t>;

at::Tensor ints(const Ints& values) { return at::tensor(values, at::kLong); }
Ints values(const at::Tensor& t) {
  const auto c = t.to(at::kLong).contiguous();
  return {c.data_ptr<int64_t>(), c.data_ptr<int64_t>() + c.numel()};
}

/// Two tokens per cell at level 1, one cell per sequence at level 2; top-1 of two experts.
void run_batch(TraceRecorder& recorder, const std::string& tag, const Ints& label) {
  recorder.begin_batch({{tag + "a", tag + "b"}, {"room0", tag}, {0, 1}, ints(label), {}});
  ForwardContext context;
  context.trace = &recorder;
  context.start({ints({0, 4, 6}), {}, {}, {}, {}});
  const auto offset = [](int64_t n) { return at::arange(n + 1, at::kLong); };
  const auto routed = [&](int64_t tokens, const Ints& slot, const at::Tensor& logits) {
    RouterOutput out;
    out.logits_TE = logits;
    out.assignment = make_assignment(offset(tokens), ints(slot), at::ones({tokens}), 2);
    return out;
  };
  recorder.record("fine", routed(6, {0, 1, 0, 1, 1, 1}, {}), context);
  context.descend({ints({0, 2, 3}), {}, {}, {}, ints({0, 0, 1, 1, 2, 2})});
  context.descend({ints({0, 1, 2}), {}, {}, {}, ints({0, 0, 1})});
  recorder.record("coarse", routed(2, {1, 0}, at::ones({2, 2})), context);
}

}  // namespace

TEST_CASE("trace file holds every level, site and batch", "[moe][trace]") {
  TempDir dir;
  TraceRecorder recorder(
      {"val", 7, {"kitchen", "office"}, {"wall", "floor"}, {true, false}, "all"});
  run_batch(recorder, "x", {1, 1, 0, 1, -1, 0});
  run_batch(recorder, "y", {0, 1, -1, -1, 1, 1});
  recorder.write(dir / "t.safetensors");
  const auto file = SafeTensors::open(dir / "t.safetensors");
  const Json meta = parse_json(file.metadata("switchyard"), "meta");
  CHECK(meta["schema"] == "switchyard.trace/1");
  CHECK(meta["levels"] == 3);
  CHECK(meta["step"] == 7);
  CHECK(meta["domains"][1]["seen"] == false);
  CHECK(meta["uris"] == Json({"xa", "xb", "ya", "yb"}));
  CHECK(meta["groups"] == Json({"room0", "x", "y"}));
  CHECK(meta["sites"][1] == Json({{"name", "coarse"}, {"level", 2}, {"experts", 2}, {"k", 1}}));
  CHECK(values(file.get("seq.domain")) == Ints{0, 1, 0, 1});
  CHECK(values(file.get("seq.group")) == Ints{0, 1, 0, 2});
  CHECK(values(file.get("level0.seq_offset")) == Ints{0, 4, 6, 10, 12});
  CHECK(values(file.get("level0.label")) == Ints{1, 1, 0, 1, -1, 0, 0, 1, -1, -1, 1, 1});
  CHECK(values(file.get("level1.label")) == Ints{1, 0, 0, 0, -1, 1});
  CHECK(values(file.get("level1.member_of")) == Ints{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
  CHECK(values(file.get("level2.seq_offset")) == Ints{0, 1, 2, 3, 4});
  CHECK(values(file.get("level2.label")) == Ints{1, 0, 0, 1});
  CHECK(values(file.get("level2.member_of")) == Ints{0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3});
  CHECK(values(file.get("site0.token_offset")).back() == 12);
  CHECK(values(file.get("site1.slot")) == Ints{1, 0, 1, 0});
  CHECK(file.get("site0.slot").scalar_type() == at::kShort);
  CHECK(file.get("site0.weight").scalar_type() == at::kHalf);
  CHECK_FALSE(file.has("site0.scores"));
  CHECK(file.get("site1.scores").size(0) == 4);
}

TEST_CASE("trace recorder refuses what it cannot write", "[moe][trace]") {
  TempDir dir;
  TraceRecorder recorder({"val", 0, {"kitchen"}, {}, {}, "all"});
  CHECK(error_of([&] { recorder.write(dir / "t"); }).find("no routing was recorded") !=
        std::string::npos);
  CHECK(error_of([&] {
          recorder.begin_batch({{"a"}, {"g"}, {3}, ints({}), {}});
        }).find("domain id") != std::string::npos);
}
