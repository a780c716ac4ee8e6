// FLOPs of operators by their shapes; those of experts are the same by every path on every device.

#include "core/base/flop_counter.h"

#include "tests/test.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "core/kernels/expert_linear.h"
#include "core/kernels/expert_mlp.h"
#include "core/kernels/route_top_p.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

template <class Run>
int64_t flops_of(Run&& run) {
  const FlopCounter counter;
  run();
  return counter.flops();
}

}  // namespace

TEST_CASE("operators count 2 x multiply-adds", "[base]") {
  const at::NoGradGuard no_grad;
  CHECK(flops_of([] { at::mm(at::ones({3, 5}), at::ones({5, 7})); }) == 2 * 3 * 5 * 7);
  const auto q = at::ones({2, 3, 11, 8}), k = at::ones({2, 3, 13, 8});
  CHECK(flops_of([&] { at::scaled_dot_product_attention(q, k, k); }) == 4 * 2 * 3 * 11 * 13 * 8);
  const auto image = at::ones({2, 4, 9, 9});
  CHECK(flops_of([&] {
          at::conv2d(image, at::ones({6, 2, 3, 3}), {}, 2, 1, 1, 2);
        }) == 2 * (2 * 6 * 5 * 5) * (2 * 3 * 3));
  CHECK(flops_of([&] {
          at::conv_transpose2d(image, at::ones({4, 6, 3, 3}), {}, 2);
        }) == 2 * (2 * 4 * 9 * 9) * (6 * 3 * 3));
}

TEST_CASE("what runs before or after a counter is not counted", "[base]") {
  count_product(2, 3, 5);
  count_grouped(at::ones({1}, at::kLong), 3, 5);
  CHECK(flops_of([] { count_product(2, 3, 5); }) == 60);
  CHECK(flops_of([] { count_grouped(at::tensor({3, 4}, at::kLong), 3, 5); }) == 2 * 4 * 3 * 5);
  CHECK(flops_of([] {}) == 0);
}

TEST_CASE("experts count the entries in use by every path", "[base][kernels][cuda]") {
  constexpr int64_t kTokens = 300, kSlots = 5, kWidth = 64, kHidden = 128;
  const at::NoGradGuard no_grad;
  for (const at::Device device : devices()) {
    const auto logits = normal({kTokens, kSlots}, "logits").to(device, at::kFloat);
    const auto assignment = route_top_p(logits, {{Score::Softmax, true, 4}, .6}).assignment;
    const int64_t used = assignment.used();
    REQUIRE(used < assignment.entries());
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      const auto put = [&](const at::Tensor& t) { return t.to(device, type); };
      const auto x = put(normal({kTokens, kWidth}, "x"));
      ExpertWeights mlp, linear;
      linear.in_ENC = put(normal({kSlots, kWidth, kWidth}, "linear"));
      mlp.in_ENC = put(normal({kSlots, 2 * kHidden, kWidth}, "in"));
      mlp.out_EDH = put(normal({kSlots, kWidth, kHidden}, "out"));
      INFO(device.str() << " " << c10::toString(type));
      for (const auto path : {ExpertPath::Auto, ExpertPath::Grouped}) {
        CHECK(flops_of([&] { expert_mlp(x, mlp, assignment, Activation::SiLU, true, path); }) ==
              2 * used * kWidth * 3 * kHidden);
        CHECK(flops_of([&] { expert_linear(x, linear, assignment, path); }) ==
              2 * used * kWidth * kWidth);
      }
    }
  }
}
