#include "tests/test.h"

#include "core/io/file.h"
#include "eval/study/results.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

TableRow row(const std::string& arm, int64_t seed, const std::string& domain, bool seen,
             double value) {
  TableRow out;
  out.model = "tiny";
  out.arm = out.role = arm;
  out.seed = seed;
  out.domain = domain;
  out.seen = seen;
  out.split = "test";
  out.value = value;
  out.weights = "raw";
  out.params_total = 1234567;
  return out;
}

ResultTable three_seeds() {
  ResultTable table{"seen_unseen", "miou@voxel-common", {}};
  for (int64_t seed = 0; seed < 3; ++seed) {
    table.rows.push_back(row("active", seed, "lidar", true, 50 + seed));
    table.rows.push_back(row("moe", seed, "lidar", true, 60 + seed));
    table.rows.push_back(row("moe", seed, "sonar", false, 40 - seed));
    table.rows.push_back(row("active", seed, "sonar", false, 39 + seed));
    table.rows.push_back(row("moe", seed, "radar", true, 30.0 + seed));
    table.rows.push_back(row("active", seed, "radar", true, 20.0 + seed));
  }
  return table;
}

// Two classes; class 0 counts in every room, class 1 in room0 only.
GroupResults rooms(double gain) {
  GroupResults out{"miou@voxel-common", 100, {}, {{"lidar", {0, 1}}, {"sonar", {0}}}};
  for (const std::string arm : {"moe", "active"})
    for (const std::string domain : {"lidar", "sonar"})
      for (int64_t g = 0; g < 10; ++g) {
        const double hits = 40 + g + (arm == "moe" ? gain : 0);
        out.rows.push_back({arm,
                            0,
                            domain,
                            domain == "lidar",
                            cat("room", g),
                            cat(domain, g),
                            {hits, g == 0 ? 5.0 : 0},
                            {100, g == 0 ? 10.0 : 0}});
      }
  return out;
}

ResultTable table_of(const GroupResults& groups) {
  ResultTable table{"seen_unseen", groups.metric, {}};
  for (const std::string arm : {"moe", "active"})
    for (const std::string domain : {"lidar", "sonar"}) {
      std::vector<const GroupRow*> rows;
      for (const auto& r : groups.rows)
        if (r.arm == arm && r.domain == domain) rows.push_back(&r);
      table.rows.push_back(row(arm, 0, domain, domain == "lidar",
                               ratio_metric(rows, groups.classes.at(domain), groups.scale)));
    }
  return table;
}

}  // namespace

TEST_CASE("tables and groups read back as written", "[analysis][results]") {
  const TempDir folder;
  ResultTable table = three_seeds();
  table.rows[0].arm = "a,\"b\"";
  table.rows[1].value = kUndefined;
  table.rows[0].oracle = true;
  write_table(folder.path(), table);
  const ResultTable back = read_table(folder / "table.json");
  REQUIRE(back.rows.size() == table.rows.size());
  CHECK(back.rows[0].arm == table.rows[0].arm);
  CHECK_FALSE(defined(back.rows[1].value));
  CHECK_FALSE(defined(back.rows[0].flops_per_token));
  CHECK(back.rows[2].value == 40);
  CHECK(back.rows[0].oracle);
  CHECK_FALSE(back.rows[1].oracle);
  const std::string csv = read_text(folder / "table.csv");
  CHECK(csv.find("model,arm,role,seed,domain,seen,split,value,step,weights,params_total,"
                 "params_active,flops_per_token,data_hash,oracle\n"
                 "tiny,\"a,\"\"b\"\"\",active,0,lidar,true,test,50,0,raw,1234567,,,,true\n") == 0);
  const GroupResults groups = rooms(3);
  write_groups(folder / "groups.json", groups);
  const GroupResults same = read_groups(folder / "groups.json");
  CHECK(same.classes == groups.classes);
  REQUIRE(same.rows.size() == groups.rows.size());
  CHECK(same.rows[7].num == groups.rows[7].num);
  CHECK(same.rows[7].uri == groups.rows[7].uri);
}

TEST_CASE("damaged result files are named errors", "[analysis][results]") {
  const TempDir folder;
  const auto path = folder / "x.json";
  for (const char* text : {"[]", "{}", R"({"protocol":"p","metric":"m","rows":[{"model":"x"}]})",
                           R"({"protocol":"p","metric":"m","rows":3})", "{\"protocol\":"}) {
    write_text(path, text);
    CHECK(error_of([&] { read_table(path); }).find("x.json") != std::string::npos);
  }
  const auto groups = [](const std::string& rule, const std::string& den,
                         const std::string& classes) {
    return R"({"metric":"m","scale":1,"rule":")" + rule +
           R"(","rows":[{"arm":"a","seed":0,"domain":"d","seen":true,"group":"g","uri":"u",)" +
           R"("num":[1],"den":)" + den + R"(}],"classes":)" + classes + "}";
  };
  write_text(path, groups("mean_ratio", "[1]", R"({"d":[0]})"));
  CHECK(read_groups(path).rows.size() == 1);
  for (const auto& text :
       {groups("other", "[1]", R"({"d":[0]})"), groups("mean_ratio", "[1]", R"({"d":[1]})"),
        groups("mean_ratio", "[]", R"({"d":[0]})"), groups("mean_ratio", "[1]", "{}")}) {
    write_text(path, text);
    CHECK(error_of([&] { read_groups(path); }).find("x.json") != std::string::npos);
  }
}

TEST_CASE("damaged result files never do more than throw an Error", "[analysis][results][fuzz]") {
  const TempDir folder;
  write_table(folder.path(), three_seeds());
  write_groups(folder / "groups.json", rooms(2));
  CHECK(refusals(
            folder / "table.json", [&] { read_table(folder / "table.json"); }, 300) > 50);
  CHECK(refusals(
            folder / "groups.json", [&] { read_groups(folder / "groups.json"); }, 300) > 50);
}

TEST_CASE("the metric is the mean over classes of summed ratios", "[analysis][results]") {
  const GroupRow a{"m", 0, "d", true, "g", "u", {1, 0, 0}, {2, 4, 0}};
  const GroupRow b{"m", 0, "d", true, "h", "v", {2, 1, 0}, {2, 0, 0}};
  CHECK(ratio_metric({&a, &b}, {0, 1}, 100) == Approx(100 * (0.75 + 0.25) / 2));
  CHECK(ratio_metric({&a, &b}, {0, 2}, 100) == Approx(100 * 0.75 / 2));  // absent class: 0
  CHECK_FALSE(defined(ratio_metric({}, {0}, 100)));
  CHECK_FALSE(defined(ratio_metric({&a}, {}, 100)));
}

TEST_CASE("three seeds: t intervals, unseen first, mean rows", "[analysis][results]") {
  const auto s = summarise(three_seeds(), std::nullopt, "rooms", 100, RandomStream(0, "s"));
  CHECK(s.arms == std::vector<std::string>{"moe", "active"});
  CHECK(s.interval == "t interval over 3 seeds");
  REQUIRE(s.rows.size() == 4);
  CHECK(s.rows[0].domain == "sonar");
  CHECK(s.rows[3].domain == "mean of seen");
  CHECK(s.rows[3].is_mean);
  CHECK(s.rows[3].cells[0].seeds == Row{45, 46, 47});
  CHECK(s.rows[1].cells[0].lo == Approx(61 - 2.4841377));
  CHECK(s.rows[1].differences[0].difference.verdict == "beats");
  CHECK(s.rows[0].differences[0].difference.verdict == "undecided");
  CHECK(s.rows[0].better_twin == 0);
  const std::string text = summary_markdown(s, three_seeds());
  CHECK(text.find("Oracle") == std::string::npos);
  ResultTable told = three_seeds();
  for (auto& row : told.rows) row.oracle = row.arm == "moe";
  const SummaryTable with_oracle = summarise(told, {}, "rooms", 100, RandomStream(1));
  CHECK(with_oracle.oracles == std::vector<std::string>{"moe"});
  CHECK(summary_markdown(with_oracle, told).find("at evaluation: moe.") != std::string::npos);
  CHECK(text.find("| sonar | never seen | 39.0 (36.5 to 41.5)") != std::string::npos);
  CHECK(text.find("| moe | 1.23 M | – | – |") != std::string::npos);
}

TEST_CASE("one seed: paired bootstrap over rooms", "[analysis][results]") {
  const GroupResults groups = rooms(3);
  const auto s = summarise(table_of(groups), groups, "rooms", 400, RandomStream(0, "s"));
  CHECK(s.interval == "paired bootstrap over 10 rooms, one training run");
  const auto& unseen = s.rows[0];
  CHECK(unseen.domain == "sonar");
  CHECK(unseen.cells[0].mean == Approx(47.5));
  CHECK(unseen.cells[0].lo < 47.0);
  CHECK(unseen.cells[0].hi > 48.0);
  // The gain is the same in every room: pairing removes the spread between rooms.
  CHECK(unseen.differences[0].difference.lo == Approx(3));
  CHECK(unseen.differences[0].difference.hi == Approx(3));
  CHECK(unseen.differences[0].difference.verdict == "beats");
  // Resamples without room0 have no class 1: it is left out of their mean, not counted as 0.
  CHECK(s.rows[1].cells[0].lo > 45);
  const auto none = summarise(table_of(groups), std::nullopt, "rooms", 400, RandomStream(0, "s"));
  CHECK(none.interval == "none");
  CHECK_FALSE(defined(none.rows[0].cells[0].lo));
  CHECK(none.rows[0].differences[0].difference.verdict == "undecided");
}

TEST_CASE("groups of another metric are refused; an empty table is empty", "[analysis][results]") {
  GroupResults groups = rooms(1);
  const ResultTable table = table_of(groups);
  groups.metric = "other";
  CHECK(error_of([&] {
          summarise(table, groups, "rooms", 10, RandomStream(0, "s"));
        }).find("other") != std::string::npos);
  const auto empty = summarise({}, std::nullopt, "rooms", 10, RandomStream(0, "s"));
  CHECK(empty.rows.empty());
  CHECK_FALSE(summary_markdown(empty, {}).empty());
}
