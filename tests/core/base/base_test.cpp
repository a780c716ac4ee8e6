#include "tests/test.h"

#include <set>

#include <atomic>
#include <thread>

#include "core/base/op_timer.h"
#include "core/base/params.h"
#include "core/base/random.h"
#include "core/base/registry.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

struct Inner {
  int64_t depth = 2;
  static void declare(Fields<Inner>& f) { f.add("depth", &Inner::depth, "levels", between(1, 8)); }
};

struct Outer {
  double lr = 0.5;
  std::string mode = "max";
  std::vector<int64_t> sizes = {1, 2};
  Inner inner;
  static void declare(Fields<Outer>& f) {
    f.add("lr", &Outer::lr, "rate", at_least(0));
    f.add("mode", &Outer::mode, "reduction", Choices{{"max", "mean"}});
    f.add("sizes", &Outer::sizes, "sizes", at_least(1));
    f.node("inner", &Outer::inner, "nested");
  }
};

ConfigNode map_of(ConfigNode::Map map) { return ConfigNode(std::move(map), {"a.yaml", 3}); }
ConfigNode at_line(ConfigNode::Value value, int line) {
  return ConfigNode(std::move(value), {"a.yaml", line});
}

}  // namespace

TEST_CASE("join keeps empty items", "[base]") {
  CHECK(join({"", "a", "", "b"}, ",") == ",a,,b");
  CHECK(join({"", ""}, ",") == ",");
  CHECK(join({}, ",") == "");
}

TEST_CASE("SplitMix64 and FNV-1a give the published values", "[random]") {
  RandomStream stream(uint64_t{0});
  CHECK(stream.uniform() == Approx(.8833108082).margin(1e-10));
  CHECK(stream.uniform() == Approx(.4315279970).margin(1e-10));
  CHECK(hash64("embedding.stem.conv.weight") == 0x9196b0062a1265d3ull);
}

TEST_CASE("streams depend on every part of the key and on nothing else", "[random]") {
  std::set<uint64_t> first;
  for (uint64_t seed : {0, 1}) {
    for (const char* purpose : {"crop", "init"}) {
      for (uint64_t item : {0, 1, 2}) first.insert(RandomStream(seed, purpose, 7, item).next());
    }
  }
  CHECK(first.size() == 12);
  CHECK(RandomStream(3, "crop", 1, 2).next() == RandomStream(3, "crop", 1, 2).next());
  RandomStream parent(3, "crop");
  const uint64_t child = parent.child("x").next();
  parent.next();
  CHECK(parent.child("x").next() == child);
}

TEST_CASE("draws have the promised distribution", "[random]") {
  RandomStream stream(11, "test");
  double sum = 0, squares = 0;
  std::vector<int64_t> counts(5);
  for (int i = 0; i < 20000; ++i) {
    const double z = stream.normal();
    sum += z;
    squares += z * z;
    ++counts[stream.below(5)];
  }
  CHECK(sum / 20000 == Approx(0).margin(.03));
  CHECK(squares / 20000 == Approx(1).margin(.04));
  for (int64_t count : counts) CHECK(count == Approx(4000).margin(250));
  auto order = stream.permutation(50);
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 50; ++i) CHECK(order[i] == i);
}

TEST_CASE("parameter structs read over their defaults and write back", "[params]") {
  const auto node =
      map_of({{"mode", at_line(std::string("mean"), 4)},
              {"inner", at_line(ConfigNode::Map{{"depth", at_line(int64_t{3}, 6)}}, 5)}});
  const auto params = parse_params<Outer>(node, "model");
  CHECK(params.lr == .5);
  CHECK(params.mode == "mean");
  CHECK(params.inner.depth == 3);
  CHECK(parse_params<Outer>(write_params(params), "model").inner.depth == 3);
  CHECK(describe_params<Outer>()[0].constraint == "at least 0");
}

TEST_CASE("parameter errors name place, value and what would be valid", "[params]") {
  auto message = [](ConfigNode::Map map) {
    return error_of([&] { parse_params<Outer>(map_of(std::move(map)), "model"); });
  };
  CHECK(message({{"mod", at_line(true, 9)}}) ==
        "[a.yaml:9] unknown key in model: got 'mod'; nearest: mode; valid: lr, mode, sizes, inner");
  CHECK(message({{"lr", at_line(-1.0, 9)}}) ==
        "[a.yaml:9] model.lr is out of range: got -1, expected at least 0");
  CHECK(message({{"lr", at_line(std::string("x"), 9)}}) ==
        "[a.yaml:9] model.lr has the wrong type: got string x, expected float");
  CHECK(message({{"mode", at_line(std::string("mix"), 9)}}).find("nearest: max") !=
        std::string::npos);
  CHECK(message({{"lr", at_line(std::string("???"), 9)}}).find("must be set") != std::string::npos);
  CHECK(message({{"sizes", at_line(ConfigNode::List{at_line(int64_t{0}, 9)}, 9)}})
            .find("out of range") != std::string::npos);
}

TEST_CASE("a registry makes by type and lists what it knows", "[registry]") {
  struct Shape {
    virtual ~Shape() = default;
    int64_t depth = 0;
  };
  Registry<Shape, int64_t> registry("shape");
  registry.add<Inner>("box", "a box", [](const Inner& p, int64_t extra) {
    auto shape = std::make_unique<Shape>();
    shape->depth = p.depth + extra;
    return shape;
  });
  CHECK(registry.make(ConfigNode(std::string("box")), "shape", 1)->depth == 3);
  CHECK(error_of([&] { registry.make(at_line(std::string("bx"), 2), "shape", 1); }) ==
        "[a.yaml:2] unknown shape: got 'bx'; nearest: box; valid: box");
  CHECK_THROWS_AS(registry.add<Inner>("box", "", {}), Error);
}

TEST_CASE("yaml text quotes exactly what would read back as something else", "[config]") {
  CHECK(ConfigNode(std::string("plain")).to_line() == "plain");
  for (const char* text : {"true", "12", "1e-3", "a: b", "", "- x", "null"}) {
    CHECK(ConfigNode(std::string(text)).to_line().front() == '"');
  }
  CHECK(ConfigNode(2.0).to_line() == "2.0");
}

TEST_CASE("the operator timer sees operators and gradient functions by name", "[timer]") {
  const at::Tensor x = at::ones({20, 20}).requires_grad_(true);
  StepTimer total;
  int drained = 0;
  {
    const OpTimer timer([&] { ++drained; });
    x.mm(x).sum().backward();
    CHECK(error_of([] { OpTimer second({}); }).find("one already") != std::string::npos);
    total = timer.total();
  }
  x.mm(x);  // not counted any more
  std::map<std::string, int64_t> calls;
  for (const auto& row : total.rows()) calls[row.name] = row.calls;
  CHECK(calls["aten::mm"] == 3);  // forward, and a gradient each way
  CHECK(calls.count("MmBackward0") == 1);
  CHECK(drained >= 2 * 3);
}

TEST_CASE("operator timers may come and go while another thread is inside operators", "[timer]") {
  std::atomic<bool> done = false;
  std::atomic<int64_t> products = 0;
  std::thread other([&] {
    const at::Tensor x = at::ones({64, 64});
    for (; !done; ++products) x.mm(x);
  });
  for (int64_t i = 0; i < 200; ++i) {
    const OpTimer timer({});
    const int64_t before = products;
    while (products < before + 2) std::this_thread::yield();
    CHECK(timer.total().rows().front().calls >= 1);
  }
  done = true;
  other.join();
}
