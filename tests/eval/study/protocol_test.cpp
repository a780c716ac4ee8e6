#include "tests/test.h"

#include <set>

#include "core/config/yaml.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "eval/study/protocol.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

const std::string kTask = "task: {train_domains: [a, b@night, b, c], test_domains: [a, b, c, d]}\n";

ConfigNode config(const std::string& text = kTask) { return parse_yaml(text, "test.yaml"); }

CellTable cell_table(const StudyCell& cell, const std::map<std::string, double>& scores) {
  CellTable out{cell, {"leave_one_domain_out", "miou", {}}};
  for (const auto& [domain, score] : scores) {
    TableRow row;
    row.arm = cell.arm;
    row.seed = cell.seed;
    row.domain = domain;
    row.value = score;
    out.table.rows.push_back(row);
  }
  return out;
}

/// Two held-out domains, two seeds; score of a domain: 10 times its number when held out, plus 4
/// when seen, plus the seed.
std::vector<CellTable> two_domains() {
  std::vector<CellTable> cells;
  for (const int64_t seed : {0, 1}) {
    const double s = double(seed);
    cells.push_back(cell_table({"moe", "a", seed}, {{"a", 10 + s}, {"b", 24 + s}, {"d", 1}}));
    cells.push_back(cell_table({"moe", "b", seed}, {{"a", 14 + s}, {"b", 20 + s}, {"d", 2}}));
  }
  return cells;
}

}  // namespace

TEST_CASE("leave one out: one cell per held-out domain, arm and seed", "[study][protocol]") {
  StudyParams params;
  params.arms = {"moe", "active", "total"};
  params.seeds = {0, 1};
  const auto protocol = make_protocol("leave_one_domain_out");
  const auto cells = protocol->plan(params, config());
  REQUIRE(cells.size() == 3 * 3 * 2);
  std::set<std::string> folders;
  for (const auto& cell : cells) folders.insert(cell.folder().string());
  CHECK(folders.size() == cells.size());
  CHECK(folders.count("cells/total/b/seed1") == 1);
  for (const auto& cell : cells) {
    const auto left = names_at(protocol->configure(config(), cell), "task.train_domains");
    CHECK(left.size() == (cell.holdout == "b" ? 2 : 3));
    for (const auto& name : left) CHECK(domain_of(name) != cell.holdout);
  }
}

TEST_CASE("leave one out refuses domains that do not fit", "[study][protocol]") {
  const auto protocol = make_protocol("leave_one_domain_out");
  const auto error = [&](const std::string& text) {
    return error_of([&] { protocol->plan({}, config(text)); });
  };
  CHECK(error("task: {train_domains: [a, a@x], test_domains: [a]}").find("got 1 (a)") !=
        std::string::npos);
  CHECK(error("task: {train_domains: [a, b], test_domains: [a]}").find("expected 'b' among a") !=
        std::string::npos);
  CHECK(error("task: {test_domains: [a]}").find("task.train_domains") != std::string::npos);
  CHECK(error_of([] { make_protocol("leave_one_out"); }).find("leave_one_domain_out") !=
        std::string::npos);
}

TEST_CASE("leave one out puts the seen score beside the held-out one", "[study][protocol]") {
  const auto summary = make_protocol("leave_one_domain_out")->summarise(two_domains());
  REQUIRE(summary);
  REQUIRE(summary->rows.size() == 3);  // d is never held out
  const ProtocolRow &b = summary->rows[1], &all = summary->rows[2];
  CHECK(b.condition == "b");
  CHECK(b.values == Row{20, 21});
  CHECK(b.reference == Row{24, 25});
  CHECK(b.change(false) == Approx(-4));
  CHECK(b.change(true) == Approx(100 * 4 / 24.5));
  CHECK(all.condition == "mean");
  CHECK(all.values == Row{15, 16});
  CHECK(all.reference == Row{19, 20});
}

TEST_CASE("a protocol's summary is written as JSON, CSV and Markdown", "[study][protocol]") {
  TempDir dir;
  const auto summary = *make_protocol("leave_one_domain_out")->summarise(two_domains());
  write_summary(dir.path(), summary);
  const Json json = read_json(dir / "summary.json");
  CHECK(json.at("rows").at(0).at("mean").get<double>() == Approx(10.5));
  CHECK(json.at("rows").at(0).at("sd").get<double>() == Approx(std::sqrt(.5)));
  INFO(read_text(dir / "summary.csv"));
  CHECK(read_text(dir / "summary.csv").find("\n,b,moe,2,20.5,") != std::string::npos);
  const std::string text = read_text(dir / "summary.md");
  CHECK(text.find("over 2 seeds") != std::string::npos);
  CHECK(text.find("| b | 20.5 ± 0.7 | 24.5 ± 0.7 | -4.0 |") != std::string::npos);
}

TEST_CASE("one seed has no spread, and a missing score no mean", "[study][protocol]") {
  ScoreTable scores;
  scores.add({"a", "moe", 0}, 10);
  scores.add({"b", "moe", 0}, kUndefined);
  CHECK(scores.per_seed({"a"}, "moe") == Row{10});
  CHECK(scores.per_seed({"a", "b"}, "moe").empty());
  CHECK_FALSE(defined(ProtocolRow{"", "b", "moe", {}, {10}}.change(false)));
  const ProtocolSummary summary{
      "p", "m", "domain", "held out", "seen", false, {{"", "a", "moe", {10}, {}}}};
  CHECK(protocol_markdown(summary).find("| a | 10.0 | – | – |") != std::string::npos);
}
