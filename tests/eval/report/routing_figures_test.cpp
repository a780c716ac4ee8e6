#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/analysis/expert_match.h"
#include "eval/analysis/margins.h"
#include "eval/report/level_paths.h"
#include "eval/report/png.h"
#include "eval/report/report.h"
#include "tests/eval/analysis/made_trace.h"
#include "tests/eval/report/fake_study.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

Json figure(const TempDir& folder, const std::string& slug) {
  return read_json(folder.path() / "report" / "fig" / (slug + ".json"));
}

}  // namespace

TEST_CASE("routing figures keep their sums", "[report]") {
  const TempDir folder;
  write_fake_study(folder.path());
  write_report({folder.path()});
  const Json pairs = figure(folder, "coactivation").at("data");
  for (size_t l = 0; l < pairs.at("pair_count").size(); ++l) {
    int64_t alone = 0, both = 0;  // k = 2: as many pairs as tokens, each token has two experts
    for (size_t a = 0; a < 4; ++a)
      for (size_t b = 0; b <= a; ++b)
        (a == b ? alone : both) += pairs.at("pair_count")[l][a][b].get<int64_t>();
    CHECK(alone == 2 * both);
  }
  const Json flow = figure(folder, "flow").at("data");
  for (const Json& link : flow.at("link")) {
    double sum = 0;
    for (const Json& row : link)
      for (const Json& share : row) sum += share.get<double>();
    CHECK(sum == Approx(1));
  }
  const Json labels = figure(folder, "labels").at("data");
  for (const Json& layer : labels.at("share"))
    for (const Json& row : layer) {
      double sum = 0;
      for (const Json& share : row) sum += share.get<double>();
      CHECK(sum == Approx(1));
    }
}

TEST_CASE("stability reads the traces of earlier checkpoints", "[report]") {
  const TempDir folder;
  write_fake_study(folder.path());
  write_report({folder.path()});
  const Json data = figure(folder, "stability").at("data");
  CHECK(data.at("steps") == Json{1200.0, 2400.0});
  CHECK(data.at("chance")[0].get<double>() == Approx(1.0 / 6));  // C(4, 2)
  for (const Json& layer : data.at("agree")) {
    CHECK(layer[0].get<double>() > 0);
    CHECK(layer[0].get<double>() <= 1);
    CHECK(layer[1] == 1.0);
  }
}

TEST_CASE("an expert matches itself under any renumbering", "[report]") {
  const TraceView trace = made_trace({});
  const Table profile = expert_profiles(trace, count_sequences(trace)[0]);
  const Table turned(profile.rbegin(), profile.rend());
  const ExpertMatch match = match_experts(profile, turned, 0.5);
  double total = 0;
  for (const Row& row : profile) total += defined(row[0]) ? 1 : 0;
  CHECK(match.total == Approx(total));
}

TEST_CASE("level paths merge neighbours of one colour", "[report]") {
  LevelPaths paths;
  double x = 0;
  for (const char* shade : {"s1", "s1", "s2", "s1"}) {
    paths.cell(x, 0, 2, 3, shade);
    x += 2;
  }
  Svg svg(8, 3);
  paths.draw(svg);
  CHECK(svg.body() ==
        "<path d=\"M0 0h4v3h-4zM6 0h2v3h-2z\" class=\"s1\"/><path d=\"M4 0h2v3h-2z\" "
        "class=\"s2\"/>");
}

TEST_CASE("a figure becomes a PNG where the build has librsvg, else the page says why",
          "[report]") {
  const std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20\" height=\"10\"><rect width=\"20\" "
      "height=\"10\"/></svg>";
  if (!png_unavailable().empty()) {
    CHECK(error_of([&] { svg_to_png(svg); }).find("librsvg2-dev") != std::string::npos);
    return;
  }
  const std::string png = svg_to_png(svg);
  CHECK(png.substr(1, 3) == "PNG");
  CHECK(static_cast<int>(png[19]) == 40);  // width of the header, big-endian
  CHECK(error_of([] { svg_to_png("no drawing"); }).find("librsvg") != std::string::npos);
}

TEST_CASE("a run compared with itself matches every expert and differs in no key", "[report]") {
  const TempDir folder, other;
  FakeStudy options;
  write_fake_study(folder.path(), options);
  options.seeds = 2;
  write_fake_study(other.path(), options);
  ReportInput input{folder.path()};
  input.compare = other.path();
  write_report(input);
  const std::string page = read_text(folder.path() / "report" /
                                     ("compare-" + other.path().filename().string() + ".html"));
  CHECK(page.find("The seeds cannot separate them on street-32") != std::string::npos);
  const Json match = figure(folder, "ab-share").at("data").at("match");
  for (const Json& layer : match)
    for (size_t e = 0; e < layer.size(); ++e) CHECK(layer[e] == e);
  CHECK(figure(folder, "ab-config").at("data").at("differences").empty());
  CHECK(figure(folder, "ab-nmi").at("status") == "ok");
}
