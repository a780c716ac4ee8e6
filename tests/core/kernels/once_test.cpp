// Where every token has exactly one entry, half types write an expert's output straight to the
// place of its token: within the bounds of the loop in double, and as the way over rows does it.

#include "tests/test.h"

#include <ATen/ops/equal.h>

#include "core/kernels/route.h"
#include "core/moe/layer_check.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

struct Size {
  int64_t tokens, slots, channels, hidden, width;
  bool gated, bias;
};

ExpertOperands operands_of(const Size& s, at::ScalarType type, at::Device device) {
  const auto put = [&](const at::Tensor& t) { return t.to(device, type); };
  const auto logits = normal({s.tokens, s.slots}, "logits").to(device);
  ExpertOperands out{put(normal({s.tokens, s.channels}, "x")),
                     {},
                     route_top_k(logits, {Score::Softmax, false, 1}).assignment,
                     Activation::SiLU,
                     s.gated};
  out.assignment.weight = out.assignment.weight.to(type);
  const int64_t n = s.hidden == 0 ? s.width : s.gated ? 2 * s.hidden : s.hidden;
  out.experts.in_ENC = put(.1 * normal({s.slots, n, s.channels}, "in"));
  if (s.bias) out.experts.in_bias = put(.1 * normal({s.slots, n}, "in_bias"));
  if (s.hidden == 0) return out;
  out.experts.out_EDH = put(.1 * normal({s.slots, s.width, s.hidden}, "out"));
  if (s.bias) out.experts.out_bias = put(.1 * normal({s.slots, s.width}, "out_bias"));
  return out;
}

void check_sizes(std::initializer_list<Size> sizes) {
  for (const at::Device device : devices()) {
    for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const Size& s : sizes) {
        const auto o = operands_of(s, type, device);
        REQUIRE(o.assignment.once);
        for (const CheckedError& e : expert_errors(o, true)) {
          INFO(device.str() << " " << c10::toString(type) << " T " << s.tokens << " " << s.channels
                            << "-" << s.hidden << "-" << s.width << " " << e.name << " "
                            << e.error);
          CHECK(e.holds());
        }
        auto over_rows = o;
        over_rows.assignment.once = false;
        const auto run = [](const ExpertOperands& w) {
          return expert_mlp(w.x_TC, w.experts, w.assignment, w.activation, w.gated);
        };
        const auto y = run(o);
        CHECK(at::equal(y, run(o)));
        CHECK(relative_l2(y, run(over_rows)) < (type == at::kBFloat16 ? 6e-3 : 1e-3));
      }
    }
  }
}

}  // namespace

TEST_CASE("one entry of every token needs no combine", "[kernels][cuda]") {
  check_sizes({{700, 6, 64, 64, 64, false, false},
               {500, 3, 128, 128, 96, true, false},
               {900, 20, 64, 0, 64, false, false},
               {333, 6, 128, 0, 40, false, false},
               {1, 20, 64, 0, 64, false, false},
               {0, 2, 64, 64, 64, false, false}});
}

TEST_CASE("the only entry of a token may have biases", "[kernels][cuda]") {
  check_sizes({{700, 6, 64, 64, 64, false, true},
               {701, 6, 24, 40, 56, true, true},
               {300, 4, 256, 64, 256, false, true},
               {900, 20, 64, 0, 64, false, true},
               {500, 3, 256, 0, 64, false, true}});
}
