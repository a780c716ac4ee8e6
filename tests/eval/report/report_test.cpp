#include "eval/report/report.h"

#include <limits>
#include <set>

#include "core/base/text.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/report/cloud.h"
#include "eval/report/number.h"
#include "eval/report/palette.h"
#include "tests/eval/report/fake_study.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Every class name in the class attributes of a drawing.
std::set<std::string> classes_of(const std::string& svg) {
  std::set<std::string> out;
  const std::string mark = "class=\"";
  for (size_t at = 0; (at = svg.find(mark, at)) != std::string::npos;) {
    at += mark.size();
    for (const auto& name : split(svg.substr(at, svg.find('"', at) - at), ' '))
      if (!name.empty()) out.insert(name);
  }
  return out;
}

bool defines(const std::string& sheet, const std::string& name) {
  for (size_t at = 0; (at = sheet.find("." + name, at)) != std::string::npos; ++at)
    if (std::string(",{.: ").find(sheet[at + name.size() + 1]) != std::string::npos) return true;
  return false;
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
  CHECK(samples.size() == 4);
  std::set<std::string> why;
  for (const Json& sample : samples) {
    why.insert(sample.at("why").get<std::string>());
    for (const Json& layer : sample.at("points_by_expert")) {
      int64_t sum = 0;
      for (const Json& n : layer) sum += n.get<int64_t>();
      CHECK(sum == sample.at("points"));
    }
  }
  CHECK(why == std::set<std::string>{"random", "highest NMI", "lowest NMI"});
  CHECK(contains(read_text(fig / "overlay-points-0.ply"), "element vertex 4000\n"));
  FakeStudy options;
  options.traced = false;
  CHECK(contains(page_of(none, options), "No sample was kept; add `trace.samples=4`."));
}

TEST_CASE("a file's sheet defines every class that its drawing uses", "[report]") {
  const TempDir folder;
  write_fake_study(folder.path());
  const std::string sheet = literal_sheet() + " ";
  // Marks for the script and for selectors of the page; they have no looks of their own.
  const std::set<std::string> bare{"rowmark", "on", "row0", "row1", "row2", "row3", "row4"};
  int64_t used = 0;
  for (const auto& slug : write_report({folder.path()}).slugs) {
    const auto file = folder.path() / "report" / "fig" / (slug + ".svg");
    if (!std::filesystem::exists(file)) continue;
    for (const std::string& name : classes_of(read_text(file))) {
      INFO(slug << " uses " << name);
      CHECK((bare.count(name) > 0 || defines(sheet, name)));
      ++used;
    }
  }
  CHECK(used > 100);
  CHECK_FALSE(defines(sheet, "s99"));
}

TEST_CASE("a cloud decodes to its points, along the curve and within its limit", "[report]") {
  PointSample sample;
  for (int i = 0; i < 1000; ++i)
    for (int c = 0; c < 3; ++c) sample.coord.push_back(static_cast<float>((i * (7 + 4 * c)) % 101));
  sample.coord[5] = std::numeric_limits<float>::quiet_NaN();
  Indices track(1000);
  for (size_t i = 0; i < track.size(); ++i)
    track[i] = i % 5 == 0 ? -1 : static_cast<int64_t>(i % 5);
  const Cloud whole = pack_cloud(sample, {{3, track}}),
              thin = pack_cloud(sample, {{3, track}}, 100);
  CHECK(whole.points == 999);
  CHECK(thin.points == 100);
  CHECK(whole.layers.count(3) == 1);
  CHECK(whole.frame.ceiling == Approx(0.85).margin(0.02));
  CHECK(pack_cloud(sample, {{3, track}}).position == whole.position);
  CHECK(contains(viewer_html({whole}, "0 0 1 1"), "class=\"cloud\">{"));
  CHECK(viewer_html({}, "0 0 1 1").empty());
}

TEST_CASE("ticks have labels that differ", "[report]") {
  for (const auto& [lo, hi] : {std::pair{0.0, 1.0}, {0.999, 1.001}, {-3.0, 4e5}, {0.0, 2e-6}}) {
    const auto labels = tick_labels(round_ticks(lo, hi, 4));
    INFO(lo << " to " << hi);
    CHECK(std::set<std::string>(labels.begin(), labels.end()).size() == labels.size());
    for (const auto& label : labels) CHECK(label.size() <= 9);
  }
  CHECK(tick_labels({0.1}) == std::vector<std::string>{"0.100"});
  CHECK(tick_labels({0.0}) == std::vector<std::string>{"0"});
}

TEST_CASE("a constant series has one tick", "[report]") {
  const TempDir folder;
  write_fake_study(folder.path());
  write_report({folder.path()});
  const std::string svg = read_text(folder.path() / "report" / "fig" / "curves.svg");
  const size_t panel = svg.find(">grad_norm<");
  REQUIRE(panel != std::string::npos);
  const std::string grad = svg.substr(panel, svg.find("</g>", panel) - panel);
  size_t ticks = 0;
  for (size_t at = 0; (at = grad.find("class=\"grid\"", at)) != std::string::npos; ++at) ++ticks;
  CHECK(ticks == 1);
  CHECK(contains(grad, ">1.00<"));
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
