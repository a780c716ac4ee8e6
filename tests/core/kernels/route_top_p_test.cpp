// The routing op of tokens with different numbers of slots against plain tensor operations.

#include "core/kernels/route_top_p.h"

#include "tests/test.h"

#include <ATen/ops/ones_like.h>
#include <ATen/ops/softmax.h>

#include <limits>

#include "core/kernels/routing.h"
#include "core/moe/selection.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Logits of tokens that are more and less sure.
at::Tensor some_logits(int64_t tokens, int64_t columns) {
  return normal({tokens, columns}, "logits") * normal({tokens, 1}, "sure").abs() * 2;
}

at::Tensor plain_scores(const at::Tensor& logits_TE, Score score) {
  if (score == Score::Softmax) return at::softmax(logits_TE, 1);
  return score == Score::Sigmoid ? logits_TE.sigmoid() : logits_TE * 1;
}

/// [T, k] columns, -1 where the sum of the scores before has reached p. In the order and type of
/// the op's sum.
at::Tensor plain_choices(const at::Tensor& scores_TE, const TopPRule& rule) {
  const auto slot_TK = top_k_slots(scores_TE, rule.best.k);
  auto sum_T = at::zeros_like(scores_TE.select(1, 0));
  auto open_T = at::ones_like(sum_T, at::kBool);
  std::vector<at::Tensor> out;
  for (int64_t j = 0; j < rule.best.k; ++j) {
    out.push_back(slot_TK.select(1, j).masked_fill(~open_T, -1));
    sum_T = sum_T + scores_TE.gather(1, slot_TK.narrow(1, j, 1)).squeeze(1);
    if (rule.p < 1) open_T = open_T & (sum_T < rule.p);
  }
  return at::stack(out, 1);
}

/// [T, E] weights of the slots with entries.
at::Tensor plain_weights(const at::Tensor& scores_TE, const at::Tensor& chosen_TK,
                         const TopPRule& rule) {
  const int64_t columns = scores_TE.size(1), slots = columns - rule.null_slots;
  const auto taken_TE = at::zeros({scores_TE.size(0), columns + 1}, scores_TE.options())
                            .scatter(1, chosen_TK.masked_fill(chosen_TK < 0, columns), 1)
                            .narrow(1, 0, columns);
  const auto counted_TE = taken_TE.narrow(1, 0, rule.keep_share ? columns : slots);
  const auto own_TE = scores_TE * taken_TE;
  const auto weight_TE = own_TE.narrow(1, 0, slots);
  if (!rule.best.renormalise) return weight_TE;
  const auto sum_T1 = own_TE.narrow(1, 0, counted_TE.size(1)).sum(1, true) + 1e-20;
  const auto divide_T1 = counted_TE.sum(1, true) > (rule.singles ? 0 : 1);
  return at::where(divide_T1, weight_TE / sum_T1, weight_TE);
}

void check_equal(const at::Tensor& got, const at::Tensor& expected, const char* what) {
  INFO(what);
  CHECK(at::equal(got.cpu(), expected.cpu()));
}

/// Entries in use as make_assignment() places them, the others harmless.
void check_assignment(const Assignment& got, const at::Tensor& chosen_TK, int64_t slots) {
  const auto real_TK = (chosen_TK >= 0) & (chosen_TK < slots);
  const auto end_T = real_TK.sum(1).cumsum(0);
  const auto offset = at::cat({at::zeros({1}, end_T.options()), end_T});
  const auto slot_A = chosen_TK.masked_select(real_TK);
  const auto expected = make_assignment(offset, slot_A, at::ones_like(slot_A), slots);
  const int64_t used = slot_A.size(0), rest = got.entries() - used;
  REQUIRE(got.used() == used);
  check_equal(got.token_offset, offset, "token_offset");
  check_equal(got.slot_offset, expected.slot_offset, "slot_offset");
  check_equal(got.slot_of.narrow(0, 0, used), slot_A, "slot_of");
  check_equal(got.token_of.narrow(0, 0, used), expected.token_of, "token_of");
  check_equal(got.position.narrow(0, 0, used), expected.position, "position");
  check_equal(got.entry.narrow(0, 0, used), expected.entry, "entry");
  const auto own = at::arange(used, used + rest), zero = at::zeros_like(own);
  check_equal(got.slot_of.narrow(0, used, rest), zero, "slot_of, not in use");
  check_equal(got.token_of.narrow(0, used, rest), zero, "token_of, not in use");
  check_equal(got.position.narrow(0, used, rest), own, "position, not in use");
  check_equal(got.entry.narrow(0, used, rest), own, "entry, not in use");
  check_equal(got.weight.detach().narrow(0, used, rest).to(at::kLong), zero, "weight, not in use");
}

void check_route(const at::Tensor& logits, const TopPRule& rule, double limit) {
  const auto leaf = logits.detach().clone().requires_grad_(true);
  const auto twin = logits.detach().to(at::kCPU, at::kDouble).requires_grad_(true);
  const RoutedTopP got = route_top_p(leaf, rule);
  // Choices by the op's own scores: other rounding may swap near ties.
  const auto chosen_TK = plain_choices(got.scores_TE.detach().cpu(), rule);
  const int64_t slots = logits.size(1) - rule.null_slots;
  check_equal(got.chosen_TK.to(at::kLong), chosen_TK, "chosen");
  check_assignment(got.assignment, chosen_TK, slots);
  const auto scores = plain_scores(twin, rule.best.score);
  const auto weight = plain_weights(scores, chosen_TK, rule);
  const auto own = dense_weights(got.assignment);
  CHECK(relative_error(got.scores_TE, scores) <= limit);
  CHECK(relative_error(own, weight) <= limit);
  const auto cotangent = normal(weight.sizes(), "weight"), ds = normal(scores.sizes(), "scores");
  ((own * cotangent.to(leaf.options())).sum() + (got.scores_TE * ds.to(leaf.options())).sum())
      .backward();
  ((weight * cotangent).sum() + (scores * ds).sum()).backward();
  CHECK(relative_error(leaf.grad(), twin.grad()) <= 20 * limit);
}

/// Rules for that many columns.
std::vector<TopPRule> some_rules(int64_t columns) {
  const int64_t most = std::min<int64_t>(columns, 32), nulls = columns / 3;
  return {{{Score::Softmax, true, most}, .7},
          {{Score::Softmax, false, most}, .4, nulls},
          {{Score::Softmax, true, (most + 1) / 2}, .9, nulls, true, true},
          {{Score::Softmax, true, most}, .6, nulls, false, false},
          {{Score::Sigmoid, true, most}, 1.5, nulls, false, true},
          {{Score::Sigmoid, false, most}, .99, 0},
          {{Score::Identity, false, (most + 1) / 2}, 1, nulls}};
}

}  // namespace

TEST_CASE("one op for top-p and null slots does what the stages do", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    for (const int64_t columns : {1, 5, 8, 13, 16, 40, 64, 100, 200, 300, 1024}) {
      for (const int64_t tokens : {0, 1, 7, 1031, 20000}) {
        if (tokens * columns > 110'000) continue;
        const auto logits = some_logits(tokens, columns).to(device);
        for (const TopPRule& rule : some_rules(columns)) {
          INFO(device.str() << " columns " << columns << " tokens " << tokens << " k "
                            << rule.best.k << " p " << rule.p << " nulls " << rule.null_slots);
          check_route(logits, rule, 1e-13);
          check_route(logits.to(at::kFloat), rule, 1e-5);
        }
      }
    }
  }
}

TEST_CASE("top-p places as many tokens as a chunk takes in turns", "[kernels][cuda]") {
  const auto logits = some_logits(300'000, 8);
  const TopPRule rule{{Score::Softmax, true, 8}, .8, 2};
  const auto expected = route_top_p(logits, rule);
  for (const at::Device device : devices()) {
    const auto got = route_top_p(logits.to(device), rule);
    check_equal(got.chosen_TK, expected.chosen_TK, "chosen");
    check_assignment(got.assignment, expected.chosen_TK.to(at::kLong), 6);
    CHECK(relative_error(got.assignment.weight, expected.assignment.weight) < 1e-13);
  }
}

TEST_CASE("a top-p op's gradient ignores entries that are not in use", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    const auto logits = some_logits(50, 6).to(device);
    const TopPRule rule{{Score::Softmax, true, 6}, .6, 2};
    const auto gradient = [&](double rest) {
      const auto leaf = logits.clone().requires_grad_(true);
      const auto& a = route_top_p(leaf, rule).assignment;
      auto d = normal(a.weight.sizes(), "d").to(device);
      d.narrow(0, a.used(), a.entries() - a.used()).fill_(rest);
      a.weight.backward(d);
      return leaf.grad();
    };
    const auto clean = gradient(0);
    CHECK(clean.isfinite().all().item<bool>());
    CHECK(at::equal(clean, gradient(std::numeric_limits<double>::quiet_NaN())));
  }
}

TEST_CASE("top-p routing survives ties, NaN and infinity and repeats its bits",
          "[kernels][cuda][repeat]") {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               inf = std::numeric_limits<double>::infinity();
  const auto logits =
      at::tensor(std::vector<double>{0, 0, 0, 0, nan, 5, nan, 7, 1, -inf, 1, -inf}, at::kDouble)
          .view({3, 4});
  for (const at::Device device : devices()) {
    for (const auto type : {at::kDouble, at::kFloat}) {
      const auto got = route_top_p(logits.to(device, type), {{Score::Softmax, true, 4}, .6});
      CHECK(at::equal(
          got.chosen_TK.to(at::kCPU, at::kLong),
          at::tensor(std::vector<int64_t>{0, 1, 2, -1, 0, -1, -1, -1, 0, 2, -1, -1}).view({3, 4})));
    }
    const auto many = some_logits(5000, 64).to(device, at::kFloat);
    const TopPRule rule{{Score::Softmax, true, 32}, .7, 4};
    const auto first = route_top_p(many, rule);
    for (int repeat = 0; repeat < 20; ++repeat) {
      const auto again = route_top_p(many, rule);
      check_equal(again.assignment.entry, first.assignment.entry, "entry");
      check_equal(again.assignment.weight, first.assignment.weight, "weight");
      check_equal(again.assignment.token_offset, first.assignment.token_offset, "token_offset");
    }
  }
}

TEST_CASE("null choices alone leave no entry at all", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    auto logits = normal({40, 5}, "logits").to(device);
    logits.narrow(1, 4, 1).fill_(50);
    const auto got = route_top_p(logits, {{Score::Softmax, true, 5}, .9, 1});
    CHECK(got.assignment.used() == 0);
    CHECK(got.assignment.count().sum().item<int64_t>() == 0);
    CHECK((got.chosen_TK.select(1, 0) == 4).all().item<bool>());
  }
}

TEST_CASE("a top-p op names what it does not take", "[kernels]") {
  const auto logits = at::zeros({3, 4}, at::kFloat);
  const auto error = [](const at::Tensor& logits, const TopPRule& rule) {
    return error_of([&] { route_top_p(logits, rule); });
  };
  CHECK(error(logits, {{Score::Softmax, true, 5}}).find("1 to 4") != std::string::npos);
  CHECK(error(logits, {{Score::Softmax, true, 4}, .5, 4}).find("0 to 3") != std::string::npos);
  CHECK(error(logits.to(at::kHalf), {{Score::Softmax, true, 1}}).find("float, double") !=
        std::string::npos);
  CHECK(error(at::zeros({1, 1025}), {{Score::Softmax, true, 1}}).find("1024") != std::string::npos);
  CHECK(is_top_k({{Score::Softmax, true, 2}}));
  CHECK_FALSE(is_top_k({{Score::Softmax, true, 2}, .9}));
  CHECK_FALSE(is_top_k({{Score::Softmax, true, 1}, 1, 0, true, true}));
}
