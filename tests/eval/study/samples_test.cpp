#include "eval/study/samples.h"

#include "eval/analysis/trace_view.h"
#include "tests/test.h"

using namespace switchyard;

TEST_CASE("null slots and dropped choices are no use of an expert", "[eval][study]") {
  TraceView trace;
  TraceSite& site = trace.sites.emplace_back();
  site.name = "mlp";
  site.experts = 4;
  site.token_offset = {0, 2, 4};
  site.slot = {0, 3, 2, 5};
  CHECK(expert_share(trace).at("mlp") == Approx(3. / 2 / 4));
  site.kept = {1, 0, 1, 1};
  CHECK(expert_share(trace).at("mlp") == Approx(2. / 2 / 4));
}
