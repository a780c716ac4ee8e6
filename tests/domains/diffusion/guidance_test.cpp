#include "domains/diffusion/guidance.h"

#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Twice the channels of its input: 1 without a condition, 3 with one. Notes the rows of a pass.
struct Levels {
  std::vector<int64_t> rows;
  ConditionalNetwork network() {
    return [this](const at::Tensor& x, const at::Tensor& t, const at::Tensor& null) {
      rows.push_back(x.size(0));
      CHECK(t.equal(at::full({x.size(0)}, 250, x.options())));
      const auto level = at::where(null, 1., 3.).to(x.options()).view({-1, 1, 1, 1});
      return level.expand({-1, 2 * x.size(1), x.size(2), x.size(3)});
    };
  }
};

/// Value of every channel of the first image.
std::vector<double> channels(const std::string& rule, double scale, Levels& levels) {
  const auto x = normal({2, 4, 3, 3}, "x");
  const auto out = guided_prediction(levels.network(), x, 250, {scale, rule});
  CHECK(out.sizes() == at::IntArrayRef{2, 8, 3, 3});
  const auto values = out.select(0, 0).select(1, 0).select(1, 0).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + 8};
}

using Values = std::vector<double>;
using Rows = std::vector<int64_t>;

}  // namespace

TEST_CASE("every rule guides its channels in its passes", "[diffusion][guidance]") {
  Levels predicted, promoe, first3, all;
  CHECK(channels("predicted", 2, predicted) == Values{5, 5, 5, 5, 3, 3, 3, 3});
  CHECK(predicted.rows == Rows{2, 2});
  CHECK(channels("promoe", 2, promoe) == Values{5, 5, 5, 5, 3, 3, 3, 3});
  CHECK(promoe.rows == Rows{2, 2});
  CHECK(channels("first3", 2, first3) == Values{5, 5, 5, 3, 3, 3, 3, 3});
  CHECK(first3.rows == Rows{4});
  CHECK(channels("all", 2, all) == Values{5, 5, 5, 5, 5, 5, 5, 5});
  CHECK(all.rows == Rows{4});
}

TEST_CASE("a scale of one or less", "[diffusion][guidance]") {
  const std::string rule = GENERATE("predicted", "promoe", "first3", "all");
  Levels levels;
  CHECK(channels(rule, 1, levels) == Values{3, 3, 3, 3, 3, 3, 3, 3});
  CHECK(levels.rows == Rows{2});
  const double guided = channels(rule, 0, levels).at(0);
  CHECK(guided == (rule == "promoe" ? 3 : 1));  // 0: as without a condition
}

TEST_CASE("a network of the wrong shape is named", "[diffusion][guidance]") {
  const auto x = normal({2, 4, 3, 3}, "x");
  const ConditionalNetwork narrow = [](const at::Tensor& rows, const at::Tensor&,
                                       const at::Tensor&) { return rows.narrow(1, 0, 2); };
  CHECK(error_of([&] { guided_prediction(narrow, x, 250, {}); }).find("[2, 2, 3, 3]") !=
        std::string::npos);
}
