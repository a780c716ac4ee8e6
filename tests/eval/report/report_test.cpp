#include "eval/report/report.h"

#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/report/number.h"
#include "tests/eval/report/fake_study.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string page_of(const TempDir& folder, const FakeStudy& options) {
  write_fake_study(folder.path(), options);
  return read_text(write_report({folder.path()}).index);
}

}  // namespace

TEST_CASE("a study becomes one self-contained page and files per figure", "[report]") {
  const TempDir folder;
  write_fake_study(folder.path());
  const ReportSummary summary = write_report({folder.path()});
  const std::string page = read_text(summary.index);
  CHECK(static_cast<int64_t>(page.size()) == summary.bytes);
  CHECK(summary.bytes < 1'000'000);
  for (const char* part : {"src=\"http", "href=\"http", "@import", "url(http", "fetch("})
    CHECK_FALSE(contains(page, part));
  CHECK(contains(page, "On 1 of 2."));
  CHECK(contains(page, "On street-32 MoE beats the better dense twin by"));
  CHECK(contains(page, "simulated sensors"));
  CHECK(contains(page, "aerial &lt;high&gt;"));
  CHECK_FALSE(contains(page, "aerial <high>"));
  for (const auto& slug : summary.slugs) {
    const auto fig = folder.path() / "report" / "fig";
    const Json json = read_json(fig / (slug + ".json"));
    CHECK(json.at("schema") == "switchyard.figure/1");
    CHECK(json.at("status") == "ok");
    CHECK(std::filesystem::exists(fig / (slug + ".csv")));
    if (slug != "provenance") CHECK_FALSE(contains(read_text(fig / (slug + ".svg")), "var("));
  }
}

TEST_CASE("a sentence never claims more than its seeds", "[report]") {
  const TempDir few, alone, untraced;
  FakeStudy options;
  options.seeds = 2;
  const std::string two = page_of(few, options);
  CHECK(contains(two, "2 seeds, no interval."));
  CHECK_FALSE(contains(two, " beats "));
  options.twins = false;
  CHECK(contains(page_of(alone, options), "No dense twin was evaluated"));
  options.traced = false;
  const std::string page = page_of(untraced, options);
  CHECK(contains(page, "No routing trace was recorded."));
  CHECK(contains(page, "trace.enabled=true"));
}

TEST_CASE("kept points become one panel per domain and a file per sample", "[report]") {
  const TempDir folder, none;
  const std::string page = page_of(folder, {});
  const auto fig = folder.path() / "report" / "fig";
  const std::string svg = read_text(fig / "overlay-points.svg");
  CHECK(contains(svg, "never seen · room0 · 4\u2009000 points"));
  CHECK(svg.find("never seen · room0") < svg.find(">seen · room0"));
  const Json samples = read_json(fig / "overlay-points.json").at("data").at("samples");
  CHECK(samples.size() == 2);
  for (const Json& sample : samples)
    for (const Json& layer : sample.at("points_by_expert")) {
      int64_t sum = 0;
      for (const Json& n : layer) sum += n.get<int64_t>();
      CHECK(sum == 4000);
    }
  CHECK(contains(read_text(fig / "overlay-points-1.ply"), "element vertex 4000\n"));
  FakeStudy options;
  options.traced = false;
  CHECK(contains(page_of(none, options), "No sample was kept; add `trace.samples=4`."));
}

TEST_CASE("flat routing opens on the ratio view", "[report]") {
  const TempDir folder;
  FakeStudy options;
  options.strength = 0.1;
  const std::string page = page_of(folder, options);
  CHECK(contains(page, "data-show=\"ratio\" aria-pressed=\"true\""));
}

TEST_CASE("a folder without a run is refused by name", "[report]") {
  const TempDir folder;
  CHECK(contains(error_of([&] { write_report({folder.path()}); }),
                 "neither study.json nor config.yaml"));
}

TEST_CASE("numbers print with true minus and no minus zero", "[report]") {
  CHECK(fixed_text(-2.04, 1) == "−2.0");
  CHECK(fixed_text(-0.04, 1) == "0.0");
  CHECK(signed_text(0.04, 1) == "0.0");
  CHECK(percent_text(0.0001) == "< 1\u00a0%");
  CHECK(count_text(4800) == "4\u2009800");
  CHECK(short_name("aaaaaaaaaaaaaaaaaaaaaaaaaaaa").size() < 28);
  CHECK(round_ticks(0, 1, 5).size() == 6);
}
