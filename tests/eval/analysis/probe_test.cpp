#include "tests/test.h"

#include "eval/analysis/probe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

// Channel "shift" differs between domains by `gap`, channel "square" only in spread, "noise" not at
// all.
ProbeInput made_input(double gap, double spread, bool shared_groups = false) {
  RandomStream stream(11, "probe input");
  ProbeInput out;
  out.channels = {"shift", "square", "noise"};
  for (int64_t d = 0; d < 2; ++d)
    for (int64_t g = 0; g < 8; ++g)
      for (int64_t i = 0; i < 100; ++i) {
        out.x.push_back(static_cast<float>(stream.normal() + gap * d));
        out.x.push_back(static_cast<float>(stream.normal() * (1 + spread * d)));
        out.x.push_back(static_cast<float>(stream.normal()));
        out.domain.push_back(d);
        out.group.push_back(shared_groups ? g : 8 * d + g);
      }
  return out;
}

std::vector<ProbeResult> probe(const ProbeInput& input) {
  return probe_domains(input, {}, RandomStream(1, "probe"));
}

}  // namespace

TEST_CASE("a linear difference is found by both probes", "[analysis][probe]") {
  for (const bool shared : {false, true}) {
    const auto results = probe(made_input(4, 0, shared));
    REQUIRE(results.size() == 2);
    for (const auto& r : results) {
      INFO(r.probe);
      CHECK(r.score > 0.93);  // best possible: 0.977
      CHECK(r.lo <= r.score);
      CHECK(r.hi >= r.score);
      CHECK(r.chance == 0.5);
      CHECK(r.channels == "shift+square+noise");
      CHECK(r.test_groups == (shared ? 4 : 8));
    }
  }
}

TEST_CASE("a difference in spread is found by the tree only", "[analysis][probe]") {
  const auto results = probe(made_input(0, 9));
  CHECK(results[0].score < 0.6);
  CHECK(results[1].score > 0.75);
}

TEST_CASE("equal domains stay at chance", "[analysis][probe]") {
  for (const auto& r : probe(made_input(0, 0))) CHECK(r.score == Approx(0.5).margin(0.07));
}

TEST_CASE("a probe rejects input that it cannot split", "[analysis][probe]") {
  ProbeInput input = made_input(1, 0);
  input.group.assign(input.group.size(), 0);
  CHECK(error_of([&] { probe(input); }).find("two groups") != std::string::npos);
  input = made_input(1, 0);
  input.x.pop_back();
  CHECK(error_of([&] { probe(input); }).find("sizes") != std::string::npos);
  input = made_input(1, 0);
  input.domain.assign(input.domain.size(), 0);
  CHECK(error_of([&] { probe(input); }).find("tell apart") != std::string::npos);
  input = made_input(1, 0);
  input.x[5] = std::numeric_limits<float>::infinity();
  CHECK(error_of([&] { probe(input); }).find("finite") != std::string::npos);
}
