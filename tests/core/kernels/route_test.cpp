// The routing op against the same decision in plain tensor operations.

#include "tests/test.h"

#include <ATen/ops/softmax.h>

#include <cmath>
#include <limits>

#include "core/kernels/route.h"
#include "core/kernels/routing.h"
#include "core/moe/selection.h"
#include "core/moe/token_groups.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

at::Tensor plain_scores(const at::Tensor& logits_TE, Score score) {
  if (score == Score::Softmax) return at::softmax(logits_TE, 1);
  return score == Score::Sigmoid ? logits_TE.sigmoid() : logits_TE * 1;
}

at::Tensor plain_weights(const at::Tensor& scores_TE, const at::Tensor& slot_TK, bool renormalise) {
  const auto p_TK = scores_TE.gather(1, slot_TK);
  const bool divide = renormalise && slot_TK.size(1) > 1;
  return (divide ? p_TK / (p_TK.sum(1, true) + 1e-20) : p_TK).reshape(-1);
}

void check_equal(const at::Tensor& got, const at::Tensor& expected, const char* what) {
  INFO(what);
  CHECK(at::equal(got.cpu(), expected.cpu()));
}

void check_assignment(const Assignment& got, const Assignment& expected) {
  check_equal(got.token_offset, expected.token_offset, "token_offset");
  check_equal(got.slot_of, expected.slot_of, "slot_of");
  check_equal(got.slot_offset, expected.slot_offset, "slot_offset");
  check_equal(got.token_of, expected.token_of, "token_of");
  check_equal(got.position, expected.position, "position");
  check_equal(got.entry, expected.entry, "entry");
}

void check_route(const at::Tensor& logits, const TopKRule& rule, double limit) {
  const auto leaf = logits.detach().clone().requires_grad_(true);
  const auto twin = logits.detach().to(at::kCPU, at::kDouble).requires_grad_(true);
  const Routed got = route_top_k(leaf, rule);
  const auto& a = got.assignment;
  // Selection by the op's own scores: other rounding may swap near ties.
  const auto slot_TK = top_k_slots(got.scores_TE.cpu(), rule.k);
  const auto selection = fixed_k_selection(slot_TK);
  const auto scores = plain_scores(twin, rule.score);
  const auto weight = plain_weights(scores, slot_TK, rule.renormalise);
  check_assignment(a, make_assignment(selection.token_offset, selection.slot_of, weight.detach(),
                                      logits.size(1)));
  CHECK(relative_error(got.scores_TE, scores) <= limit);
  CHECK(relative_error(a.weight, weight) <= limit);
  const auto cotangent = normal(weight.sizes(), "weight"), ds = normal(scores.sizes(), "scores");
  ((a.weight * cotangent.to(leaf.options())).sum() + (got.scores_TE * ds.to(leaf.options())).sum())
      .backward();
  ((weight * cotangent).sum() + (scores * ds).sum()).backward();
  CHECK(relative_error(leaf.grad(), twin.grad()) <= 20 * limit);
}

}  // namespace

TEST_CASE("one routing op does what the stages do", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    for (const int64_t slots : {1, 5, 8, 13, 16, 40, 64, 100, 200, 300, 1024}) {
      for (const int64_t tokens : {0, 1, 7, 1031}) {
        const auto logits = normal({tokens, slots}, "logits").to(device);
        for (const auto score : {Score::Softmax, Score::Sigmoid, Score::Identity}) {
          INFO(device.str() << " slots " << slots << " tokens " << tokens);
          const TopKRule rule{score, score == Score::Softmax,
                              std::min<int64_t>(slots, 1 + tokens % 8)};
          check_route(logits, rule, 1e-13);
          check_route(logits.to(at::kFloat), rule, 2e-6);
        }
      }
    }
  }
}

namespace {

/// Sequences of 0 to 6 tokens, two of three routed.
ForcedTokens some_forced(int64_t tokens) {
  std::vector<int64_t> offset = {0};
  std::vector<int64_t> routed;
  while (offset.back() < tokens || routed.empty()) {
    const auto s = static_cast<int64_t>(routed.size());
    offset.push_back(std::min(tokens, offset.back() + s % 7));
    routed.push_back(s % 3 != 1);
  }
  return {at::tensor(offset), at::tensor(routed).to(at::kBool)};
}

/// What the stages make of it: `forced` changes the selection of the k = 1 best slots.
Assignment by_stages(const at::Tensor& scores_TE, const ForcedTokens& forced,
                     const at::Tensor& weight_T) {
  const int64_t tokens = scores_TE.size(0), slots = scores_TE.size(1);
  const auto sequence_T = sequence_of({forced.seq_offset, {}, {}, {}, {}}, tokens);
  const auto routed_T = forced.routed_S.index_select(0, sequence_T);
  const auto [mixed, entry_A] =
      where_tokens(routed_T, fixed_k_selection(top_k_slots(scores_TE, 1)),
                   fixed_k_selection(at::full({tokens, 1}, slots, at::kLong)));
  const auto weight_A =
      at::cat({at::ones({tokens}, weight_T.options()), weight_T}).index_select(0, entry_A);
  return make_assignment(mixed.token_offset, mixed.slot_of, weight_A, slots + 1);
}

void check_forced(const at::Tensor& logits, Score score, at::Device device) {
  const auto leaf = logits.to(device).detach().clone().requires_grad_(true),
             twin = logits.detach().clone().requires_grad_(true);
  const auto forced = some_forced(logits.size(0));
  const Routed got = route_top_k(leaf, {score, true, 1},
                                 ForcedTokens{forced.seq_offset.to(device), forced.routed_S});
  const auto scores = plain_scores(twin, score);
  const auto best = top_k_slots(got.scores_TE.cpu(), 1);
  const auto expected =
      by_stages(got.scores_TE.detach().cpu(), forced, scores.gather(1, best).view(-1));
  check_assignment(got.assignment, expected);
  CHECK(relative_error(got.assignment.weight, expected.weight) <= 1e-13);
  const auto cotangent = normal(expected.weight.sizes(), "weight");
  (got.assignment.weight * cotangent.to(device)).sum().backward();
  (expected.weight * cotangent).sum().backward();
  CHECK(relative_error(leaf.grad(), twin.grad()) <= 1e-12);
}

}  // namespace

TEST_CASE("tokens of forced sequences take the slot behind the logits", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    for (const int64_t slots : {1, 8, 12, 16, 40, 130, 1023}) {
      for (const int64_t tokens : {0, 1, 7, 1031, 20000}) {
        INFO(device.str() << " slots " << slots << " tokens " << tokens);
        const auto logits = normal({tokens, slots}, "logits");
        for (const auto score : {Score::Softmax, Score::Sigmoid, Score::Identity})
          check_forced(logits, score, device);
      }
    }
    const Routed none = route_top_k(normal({5, 3}, "l").to(device), {Score::Identity, false, 1},
                                    ForcedTokens{at::tensor(std::vector<int64_t>{0, 5}), {}});
    CHECK(none.assignment.slots() == 4);
    CHECK(none.assignment.slot_of.max().item<int64_t>() < 3);
  }
}

TEST_CASE("a routing op's gradient is that of its weights alone where nothing else asks",
          "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    const auto logits = normal({50, 6}, "logits");
    const auto leaf = logits.to(device).clone().requires_grad_(true),
               twin = logits.clone().requires_grad_(true);
    const Routed got = route_top_k(leaf, {Score::Softmax, true, 2}, {}, /*with_scores=*/false);
    CHECK(!got.scores_TE.defined());
    check_assignment(got.assignment, route_top_k(leaf, {Score::Softmax, true, 2}).assignment);
    got.assignment.weight.square().sum().backward();
    const auto slot = top_k_slots(logits, 2);
    plain_weights(at::softmax(twin, 1), slot, true).square().sum().backward();
    CHECK(relative_error(leaf.grad(), twin.grad()) < 1e-13);
  }
}

TEST_CASE("routing breaks ties to the lowest slot, survives NaN and infinity, and repeats its bits",
          "[kernels][cuda][repeat]") {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               inf = std::numeric_limits<double>::infinity();
  const auto logits =
      at::tensor(std::vector<double>{1, 2, 2, 0, 0, -0., 0, 0, nan, 5, nan, 7, -inf, nan, -inf, 1},
                 at::kDouble)
          .view({4, 4});
  for (const at::Device device : devices()) {
    for (const auto type : {at::kDouble, at::kFloat}) {
      const auto got = route_top_k(logits.to(device, type), {Score::Identity, false, 3});
      CHECK(at::equal(got.assignment.slot_of.cpu(),
                      at::tensor(std::vector<int64_t>{1, 2, 0, 0, 1, 2, 3, 1, 0, 3, 0, 2})));
    }
    const auto many = normal({5000, 64}, "many").to(device, at::kFloat);
    const auto first = route_top_k(many, {Score::Softmax, true, 8});
    for (int repeat = 0; repeat < 20; ++repeat) {
      const auto again = route_top_k(many, {Score::Softmax, true, 8});
      check_assignment(again.assignment, first.assignment);
      check_equal(again.assignment.weight, first.assignment.weight, "weight");
    }
  }
}

TEST_CASE("ties go to the lowest slot in every width", "[kernels][cuda]") {
  constexpr int64_t kTokens = 500;
  for (const int64_t slots : {8, 13, 40, 64, 100, 128, 200, 300, 1024}) {
    auto logits =
        normal({kTokens, slots}, "logits").mul(2).round();  // few values, zeros of both signs
    logits.masked_fill_(normal({kTokens, slots}, "holes") > 2, std::nan(""));
    const auto slot_TK = top_k_slots(logits, std::min<int64_t>(slots, 12));
    for (const at::Device device : devices()) {
      for (const auto type : {at::kDouble, at::kFloat}) {
        INFO(device.str() << " slots " << slots);
        const auto got =
            route_top_k(logits.to(device, type), {Score::Identity, false, slot_TK.size(1)});
        check_equal(got.assignment.slot_of, slot_TK.view(-1), "slot_of");
      }
    }
  }
}

TEST_CASE("top-k places as many tokens as a chunk takes in turns", "[kernels][cuda]") {
  const auto logits = normal({300'000, 8}, "logits");
  const TopKRule rule{Score::Softmax, true, 8};
  const Routed expected = route_top_k(logits, rule);
  for (const at::Device device : devices()) {
    const Routed got = route_top_k(logits.to(device), rule);
    check_assignment(got.assignment, expected.assignment);
    CHECK(relative_error(got.assignment.weight, expected.assignment.weight) < 1e-13);
  }
}

TEST_CASE("a routing op names what it does not take", "[kernels]") {
  const auto logits = at::zeros({3, 4}, at::kFloat);
  CHECK(error_of([&] {
          route_top_k(logits, {Score::Softmax, true, 5});
        }).find("1 to 4") != std::string::npos);
  CHECK(error_of([&] {
          route_top_k(logits.to(at::kHalf), {Score::Softmax, true, 1});
        }).find("float, double") != std::string::npos);
  const ForcedTokens forced{at::tensor(std::vector<int64_t>{0, 3}), at::ones({2}, at::kBool)};
  CHECK(error_of([&] {
          route_top_k(logits, {Score::Softmax, true, 1}, forced);
        }).find("expected Bool [1]") != std::string::npos);
  CHECK(error_of([&] {
          route_top_k(logits, {Score::Softmax, true, 2}, forced);
        }).find("expected 1") != std::string::npos);
  CHECK(error_of([&] {
          route_top_k(at::zeros({1, 1025}), {Score::Softmax, true, 1});
        }).find("1024") != std::string::npos);
}
