#include "eval/study/metric_info.h"

#include "eval/study/protocol_summary.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Values of both arms over three seeds, on one domain that was never seen.
SummaryTable summary_of(const std::string& metric, std::map<std::string, double> first_values) {
  ResultTable table{"seen_unseen", metric, {}};
  for (const auto& [arm, value] : first_values)
    for (int64_t seed = 0; seed < 3; ++seed) {
      TableRow row;
      row.arm = row.role = arm;
      row.seed = seed;
      row.domain = "sketch";
      row.seen = false;
      row.value = value + .1 * double(seed);
      table.rows.push_back(row);
    }
  return summarise(table, {}, "", 0, RandomStream(0, ""));
}

bool found(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("metrics know which way is better and how they are printed", "[results]") {
  CHECK(metric_info("miou@voxel-common").higher_is_better);
  CHECK(metric_info("miou@test-vote").suffix() == ", %");
  CHECK(metric_info("is@features=cnn-1-s0").higher_is_better);
  for (const char* lower : {"loss@flow", "fid@features=a", "sfid@features=a", "kid@features=a"})
    CHECK_FALSE(metric_info(lower).higher_is_better);
  CHECK(metric_info("kid@features=a").suffix() == " × 1000");
  CHECK(metric_info("fid@features=a").suffix() == "");
  CHECK(metric_info("fid@features=a").gain(-2) == 2);
  CHECK(metric_info("fid@features=a").verdict(-3, -1) == "beats");
  CHECK(metric_info("fid@features=a").verdict(1, 3) == "loses");
  CHECK(metric_info("miou@voxel-all").verdict(1, 3) == "beats");
  CHECK(metric_info("loss@flow").verdict(kUndefined, kUndefined) == "undecided");
  CHECK(metric_info("score").suffix() == ", %");
}

TEST_CASE("where lower is better, the twin with the lower score is the better one", "[results]") {
  const std::map<std::string, double> values = {{"moe", 10}, {"active", 14}, {"total", 12}};
  const auto fid = summary_of("fid@features=a", values), miou = summary_of("miou@x", values);
  const auto& lower = fid.rows.at(0);
  CHECK(lower.differences[size_t(lower.better_twin)].against == "total");
  CHECK(lower.differences[size_t(lower.better_twin)].difference.verdict == "beats");
  const auto& higher = miou.rows.at(0);
  CHECK(higher.differences[size_t(higher.better_twin)].against == "active");
  CHECK(higher.differences[size_t(higher.better_twin)].difference.verdict == "loses");
  const std::string text = summary_markdown(fid, {});
  CHECK(found(text, "`fid@features=a` (lower is better), 95 %"));
  CHECK(found(text, "10.10 (9.85 to 10.35)"));
  CHECK_FALSE(found(summary_markdown(miou, {}), "is better"));
}

TEST_CASE("a corruption that raises a distance is a rise", "[results]") {
  ProtocolSummary summary{
      "corruption_sweep", "fid@features=a", "corruption", "corrupted", "clean", true, {}};
  summary.rows.push_back({"", "blur-1", "moe", {12}, {10}});
  CHECK(found(protocol_markdown(summary), "moe: rise, %"));
  CHECK(found(protocol_markdown(summary), "| 12.00 | 10.00 | 20.0 |"));
  summary.metric = "miou@voxel-common";
  CHECK(found(protocol_markdown(summary), "moe: drop, %"));
  CHECK(found(protocol_markdown(summary), "| 12.0 | 10.0 | -20.0 |"));
}
