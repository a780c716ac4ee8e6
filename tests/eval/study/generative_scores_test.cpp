#include "eval/study/generative_scores.h"

#include "eval/metrics/frechet.h"
#include "tests/eval/metrics/made_features.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

FeatureSet features(int64_t n, uint64_t seed, double mean = 0) {
  return {normal_features(n, 6, seed, mean),
          normal_features(n, 8 * 4, seed, mean).reshape({n, 8, 2, 2}),
          normal_features(n, 3, seed, mean)};
}

ReferenceFeatures reference_of(const FeatureSet& set) {
  ReferenceBuilder builder;
  builder.update(set);
  return builder.compute();
}

GenerativeScores two_cells() {
  GenerativeScores scores("net-1", {});
  for (const auto& [name, seed] : {std::pair("cat", 1), std::pair("dog", 2)}) {
    scores.add_reference({"sketch", name}, reference_of(features(60, seed)));
    scores.add_samples({"sketch", name}, features(30, seed + 10, .5));
    scores.add_samples({"sketch", name}, features(20, seed + 20, .5));
  }
  return scores;
}

const GenerativeScore& score_of(const std::vector<GenerativeScore>& scores,
                                const std::string& metric, const std::string& cell) {
  for (const auto& s : scores)
    if (s.metric == metric + "@features=net-1" && s.cell.name() == cell) return s;
  fail("test", "no score ", metric, " of ", cell);
}

bool found(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every metric of a domain and of its cells", "[metrics][generative]") {
  const auto scores = two_cells().compute();
  CHECK(scores.size() == 6 * 3);
  const auto& fid = score_of(scores, "fid", "sketch/dog");
  CHECK(fid.samples == 50);
  CHECK(fid.score.references == 60);
  CHECK(fid.score.warning.empty());
  const auto fake = at::cat({features(30, 12, .5).pooled, features(20, 22, .5).pooled});
  const double expected =
      frechet(gaussian_factor(features(60, 2).pooled), gaussian_factor(fake)).distance();
  CHECK(fid.score.value == Approx(expected).epsilon(1e-9));
  const auto& whole = score_of(scores, "precision", "sketch");
  CHECK(whole.samples == 100);
  CHECK(whole.score.references == 120);
  CHECK(whole.score.value > 50);
  CHECK(whole.score.value <= 100);
  CHECK(score_of(scores, "is", "sketch").score.value > 1);
  CHECK(score_of(scores, "is", "sketch").score.references == 0);
  CHECK(score_of(scores, "kid", "sketch").score.value > 0);
}

TEST_CASE("scores say when they are not to be trusted", "[metrics][generative]") {
  GenerativeScores scores = two_cells();
  scores.add_reference({"photo", "dog"}, reference_of(features(10, 3)));
  scores.add_reference({"photo", "cat"}, reference_of(features(30, 3)));
  scores.add_samples({"photo", "dog"}, features(3, 4));
  scores.add_samples({"photo", "cat"}, features(1, 4));
  const auto all = scores.compute();
  CHECK(score_of(all, "sfid", "photo/dog").score.warning ==
        "biased: 3 samples and 10 real images for 28 features");
  CHECK(score_of(all, "precision", "photo/dog").score.warning == "needs 4 images, got 3 and 10");
  CHECK_FALSE(defined(score_of(all, "recall", "photo/dog").score.value));
  CHECK(score_of(all, "fid", "photo/cat").score.warning == "needs 2 images, got 1 and 30");
  CHECK(score_of(all, "is", "photo").score.warning == "shares of classes differ by up to 50 %");
  CHECK(found(score_of(all, "fid", "photo").score.warning, "features; shares of"));
}

TEST_CASE("a domain may have a reference of its own", "[metrics][generative]") {
  GenerativeScores scores("net-1", {.metrics = {"fid"}});
  scores.add_reference({"photo", ""}, {reference_of(features(40, 1)).pooled, {}, {}});
  scores.add_samples({"photo", "dog"}, features(30, 2));
  const auto all = scores.compute();
  REQUIRE(all.size() == 1);
  CHECK(all[0].cell.name() == "photo");
}

TEST_CASE("scores go to one table per metric and level", "[metrics][generative]") {
  const auto scores = two_cells().compute();
  TableRow common;
  common.arm = "moe";
  const auto seen = [](const ImageCell& cell) { return cell.class_name == "cat"; };
  const auto cells = generative_tables(scores, ScoreLevel::Cell, "seen_unseen", common, seen);
  REQUIRE(cells.size() == 6);
  CHECK(cells[0].metric == "fid@features=net-1");
  REQUIRE(cells[0].rows.size() == 2);
  CHECK(cells[0].rows[0].domain == "sketch/cat");
  CHECK(cells[0].rows[0].seen);
  CHECK_FALSE(cells[0].rows[1].seen);
  CHECK(cells[0].rows[1].arm == "moe");
  const auto domains = generative_tables(scores, ScoreLevel::Domain, "seen_unseen", common, seen);
  CHECK(domains[5].rows.size() == 1);
  TempDir folder;
  write_table(folder.path(), cells[0]);
  const auto back = read_table(folder / "table.json");
  CHECK(back.rows[1].samples == 50);
  CHECK(back.rows[1].references == 60);
  CHECK(back.rows[1].warning.empty());
}

TEST_CASE("missing features and references are named", "[metrics][generative]") {
  GenerativeScores scores("net-1", {});
  scores.add_samples({"photo", "dog"}, features(5, 1));
  CHECK(found(error_of([&] { scores.compute(); }), "[photo/dog] no reference features"));
  FeatureSet plain{features(5, 1).pooled, {}, {}};
  scores.add_reference({"photo", "dog"}, reference_of(plain));
  CHECK(found(error_of([&] { scores.compute(); }),
              "[sfid] needs spatial features, which 'net-1' does not give"));
  CHECK(found(error_of([&] {
                scores.add_reference({"photo", "dog"}, reference_of(plain));
              }),
              "given twice"));
  GenerativeScores typo("net-1", {.metrics = {"fidd"}});
  typo.add_reference({"photo", ""}, reference_of(plain));
  typo.add_samples({"photo", ""}, plain);
  CHECK(found(error_of([&] { typo.compute(); }), "nearest: fid"));
  scores.add_samples({"photo", "dog"}, plain);
  CHECK(found(error_of([&] { scores.compute(); }), "got those of 5 of 10 images"));
}
