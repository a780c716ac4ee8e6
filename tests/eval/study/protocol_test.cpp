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
    row.seen = domain == "a";
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
    const auto left = names_at(protocol->configure(config(), cell, "study"), "task.train_domains");
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

TEST_CASE("corruption sweep: one evaluation per kind and severity, with its config",
          "[study][protocol]") {
  StudyParams params;
  const auto protocol = make_protocol("corruption_sweep");
  CHECK(error_of([&] { protocol->plan(params, config()); }).find("study.corruption.kinds") !=
        std::string::npos);
  params.corruption = {{"noise", "local-dropout"}, {1, 3}};
  CHECK(protocol->plan(params, config()).size() == 2);
  const auto names = protocol->conditions(params);
  REQUIRE(names ==
          std::vector<std::string>{"", "noise-1", "noise-3", "local-dropout-1", "local-dropout-3"});
  const ConfigNode plain = protocol->configure_condition(config(), "");
  CHECK(plain.find_path("task.corruption") == nullptr);
  const ConfigNode changed = protocol->configure_condition(config(), "local-dropout-3");
  CHECK(changed.find_path("task.corruption.kind")->as_string() == "local-dropout");
  CHECK(changed.find_path("task.corruption.severity")->as_int("severity") == 3);
  CHECK_FALSE(changed.find_path("trace.enabled")->as_bool("enabled"));
}

TEST_CASE("corruption sweep averages over severities and kinds, seen and unseen apart",
          "[study][protocol]") {
  std::vector<CellTable> cells;
  const std::map<std::string, double> loss = {
      {"", 0}, {"noise-1", 2}, {"noise-2", 4}, {"scale-1", 6}, {"scale-2", 20}};
  for (const std::string& name : {"", "noise-1", "noise-2", "scale-1", "scale-2"}) {
    CellTable table =
        cell_table({"moe", "unseen", 0}, {{"a", 50 - loss.at(name)}, {"b", 30 - loss.at(name)}});
    table.condition = name;
    cells.push_back(table);
  }
  const auto summary = make_protocol("corruption_sweep")->summarise(cells);
  REQUIRE(summary);
  REQUIRE(summary->rows.size() == 2 * (4 + 2 + 1));
  const auto score = [&](size_t row) { return summary->rows[row].values.at(0); };
  CHECK(summary->rows[2].condition == "noise, mean");
  CHECK(score(1) == 46);
  CHECK(score(2) == 47);
  CHECK(score(6) == 42);
  CHECK(summary->rows[6].reference == Row{50});
  CHECK(summary->rows[6].change(true) == Approx(16));
  CHECK(summary->rows[7].block == "unseen domains");
  CHECK(score(13) == 22);
}

TEST_CASE("few shot: adapted cells start from the source model of their arm and seed",
          "[study][protocol]") {
  const std::string text =
      "task: {train_domains: [a], test_domains: [a, b@train, b@val, c], train_split: train, "
      "test_split: test}\n"
      "study: {few_shot: {shots: [1, 4], steps: 7, lr_factor: 0.5}}\n"
      "trainer: {max_steps: 100}\noptimizer: {lr: 0.01}\n";
  StudyParams params;
  params.seeds = {3};
  const auto protocol = make_protocol("few_shot");
  const auto cells = protocol->plan(params, config(text));
  REQUIRE(cells.size() == 2 + 2 * 2 * 2);
  CHECK_FALSE(protocol->source(cells[0]));
  CHECK(protocol->configure(config(text), cells[0], "study").find_path("task.shots") == nullptr);
  const StudyCell& cell = cells[5];
  CHECK(cell.holdout == "b-4shot");
  CHECK(protocol->source(cell)->folder() == "cells/active/unseen/seed3");
  const ConfigNode node = protocol->configure(config(text), cell, "study");
  CHECK(names_at(node, "task.train_domains") == std::vector<std::string>{"b"});
  CHECK(names_at(node, "task.test_domains") == std::vector<std::string>{"a", "b@val", "c"});
  CHECK(node.find_path("task.shots")->as_int("shots") == 4);
  CHECK(node.find_path("checkpoint")->as_string() == "study/cells/active/unseen/seed3");
  CHECK(node.find_path("trainer.max_steps")->as_int("steps") == 7);
  CHECK(node.find_path("optimizer.lr")->as_double("lr") == Approx(.005));
}

TEST_CASE("few shot refuses a study without a domain to adapt to", "[study][protocol]") {
  const auto error = [](const std::string& test_domains) {
    return error_of([&] {
      make_protocol("few_shot")
          ->plan({}, config("task: {train_domains: [a], train_split: train, test_split: val, "
                            "test_domains: " +
                            test_domains + "}\n"));
    });
  };
  CHECK(error("[a]").find("no unseen domain") != std::string::npos);
  CHECK(error("[a, b@train]").find("'b' is evaluated only on the split") != std::string::npos);
}

TEST_CASE("few shot compares every adapted model with the one it came from", "[study][protocol]") {
  const auto source = cell_table({"moe", "unseen", 0}, {{"a", 40}, {"b", 20}, {"c", 10}});
  const auto adapted = cell_table({"moe", "b-4shot", 0}, {{"a", 35}, {"b", 31}, {"c", 11}});
  const auto summary = make_protocol("few_shot")->summarise({source, adapted});
  REQUIRE(summary);
  REQUIRE(summary->rows.size() == 2);
  CHECK(summary->rows[0].condition == "b, 4 shots");
  CHECK(summary->rows[0].values == Row{31});
  CHECK(summary->rows[0].reference == Row{20});
  CHECK(summary->rows[1].block == "domains seen before");
  CHECK(summary->rows[1].change(false) == Approx(-5));
}
