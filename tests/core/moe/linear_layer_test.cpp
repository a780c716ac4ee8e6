#include "tests/test.h"

#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("linear experts publish one map each; without a router the map is the layer", "[moe]") {
  auto layer = moe_layer(linear_config(3, 2, true, 1), 4, 6);
  CHECK(view_of(*layer, "experts.2.weight").value().sizes() == at::IntArrayRef({6, 4}));
  CHECK(view_of(*layer, "experts.2.bias").value().sizes() == at::IntArrayRef({6}));
  CHECK(count_parameters(*layer) == 4 * (6 * 4 + 6) + 3 * 4);
  CHECK(layer->site_info()->hidden == 0);
  auto dense = linear_config(1, 1, true);
  dense.router = ConfigNode(std::string("none"));
  CHECK(view_of(*moe_layer(dense, 4, 6), "weight").value().sizes() == at::IntArrayRef({6, 4}));
}

TEST_CASE("linear experts with a hidden layer or a sum of shared maps are errors", "[moe]") {
  auto wide = linear_config(2, 1, false);
  wide.experts.hidden = 4;
  CHECK(error_of([&] { moe_layer(wide, 4, 4); }).find("no hidden layer") != std::string::npos);
  CHECK(error_of([] { moe_layer(linear_config(2, 1, false, 2), 4, 4); }).find("expected 0 or 1") !=
        std::string::npos);
}
