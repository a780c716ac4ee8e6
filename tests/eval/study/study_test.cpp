#include "tests/test.h"

#include "core/io/file.h"
#include "eval/study/protocol.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

Study make_study(const std::filesystem::path& folder, const StudyParams& params) {
  return Study::create(folder, params.protocol,
                       make_protocol(params.protocol)->plan(params, ConfigNode()),
                       "point_cloud/scan_demo", {"seed=3"});
}

}  // namespace

TEST_CASE("a study lists every cell before it starts and remembers what is done", "[study]") {
  TempDir dir;
  StudyParams params;
  params.seeds = {0, 1};
  Study study = make_study(dir.path(), params);
  REQUIRE(study.cells().size() == 4);
  study.set_state(1, CellState::Trained);
  const Study again = Study::open(dir.path());
  CHECK(again.cells()[1].state == CellState::Trained);
  CHECK(again.cells()[0].state == CellState::Planned);
  CHECK(again.cells()[3].folder() == "cells/active/unseen/seed1");
  CHECK(again.overrides() == std::vector<std::string>{"seed=3"});
}

TEST_CASE("processes at one study keep what the others saved and take no cell twice", "[study]") {
  TempDir dir;
  Study here = make_study(dir.path(), StudyParams()), there = Study::open(dir.path());
  here.set_state(0, CellState::Trained);
  there.set_state(1, CellState::Evaluated);
  CHECK(Study::open(dir.path()).cells()[0].state == CellState::Trained);
  CHECK(Study::open(dir.path()).cells()[1].state == CellState::Evaluated);
  {
    const auto held = here.claim(0);
    REQUIRE(held);
    CHECK(here.cells()[1].state == CellState::Evaluated);
    CHECK_FALSE(there.claim(0));
  }
  CHECK(there.claim(0));
  CHECK(there.unfinished() == 1);
}

TEST_CASE("a damaged study never does more than throw an Error", "[study][fuzz]") {
  TempDir dir;
  make_study(dir.path(), StudyParams());
  CHECK(refusals(dir / "study.json", [&] { Study::open(dir.path()); }) > 100);
}

TEST_CASE("a damaged or wrong study is refused by name", "[study]") {
  TempDir dir;
  CHECK_FALSE(Study::is_study(dir.path()));
  write_text(dir / "study.json", "{\"cells\": 3}");
  CHECK(error_of([&] { Study::open(dir.path()); }).find("damaged study") != std::string::npos);
  StudyParams params;
  params.arms = {};
  CHECK(error_of([&] { make_study(dir.path(), params); }).find("no cell") != std::string::npos);
}
