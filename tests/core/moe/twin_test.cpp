#include "tests/test.h"

#include "core/moe/twin.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {
int64_t twin_size(const MoEConfig& config, TwinKind kind) {
  return count_parameters(*moe_layer(twin(config, kind), 24, 24));
}
}  // namespace

TEST_CASE("dense twins have the parameters of the experts they stand for", "[moe]") {
  const auto gated = moe_config(4, 2);
  CHECK(twin_size(gated, TwinKind::Active) == 3 * 24 * 48);
  CHECK(twin_size(gated, TwinKind::Total) == 3 * 24 * 96);
  CHECK(count_parameters(*moe_layer(gated, 24, 24)) == 3 * 24 * 96 + 4 * 24);
  auto plain = moe_config(8, 3, 2, false, "gelu", true, 1);
  CHECK(twin_size(plain, TwinKind::Active) == 2 * 24 * 192 + 192 + 24);
  plain.experts.hidden = 10;
  CHECK(twin(plain, TwinKind::Active).experts.hidden == 40);
  CHECK(twin(plain, TwinKind::Active, 1.26).experts.hidden == 23);
  CHECK(twin(plain, TwinKind::Total).experts.hidden == 90);
  const auto again = twin(twin(gated, TwinKind::Active), TwinKind::Total);
  CHECK(again.experts.hidden_mult == 2);
  CHECK(twin(plain, TwinKind::Active).experts.activation == "gelu");
  const auto linear = linear_config(8, 2, true, 1);
  CHECK(twin_size(linear, TwinKind::Active) == 3 * 24 * 24 + 36 + 24);
  CHECK(twin_size(linear, TwinKind::Total) == 9 * 24 * 24 + 108 + 24);
}
