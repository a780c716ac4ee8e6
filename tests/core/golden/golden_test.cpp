#include "core/golden/golden.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <limits>

#include "core/golden/rule.h"
#include "core/io/file.h"
#include "core/nn/linear.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

// What the synthetic kind does to the expected result before comparing it.
enum class Fault { None, Wrong, Nan, LeaveOut, WrongShape, WrongInteger, Throw, NotBuilt };
Fault fault = Fault::None;
at::Tensor ratios;  // what it gives for outputs/ratios

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

void run_doubled(const GoldenCase& golden, GoldenResult& result) {
  if (fault == Fault::Throw) fail("doubled", "does not work");
  if (fault == Fault::NotBuilt) throw NotCovered{"needs a part"};
  at::Tensor y = golden.input("x") * 2;
  if (fault == Fault::Wrong) y[1] += 1e-6;
  if (fault == Fault::Nan) y[1] = std::numeric_limits<double>::quiet_NaN();
  if (fault == Fault::WrongShape) y = y.unsqueeze(0);
  result.compare("outputs/y", y);
  if (fault != Fault::LeaveOut) result.compare("grads/inputs/x", {});
  if (ratios.defined()) result.compare("outputs/ratios", ratios);
  result.compare("outputs/count", at::full({}, fault == Fault::WrongInteger ? 4 : 3, at::kLong));
}

void register_once() {
  static const bool done = [] {
    GoldenRule rule;
    rule.floor = [](const GoldenCase&, const std::string&, double largest) {
      return .001 * largest;
    };
    rule.limit = [](const GoldenCase& c, const std::string&) {
      return std::optional(c.tolerance.at(c.dtype == at::kDouble ? "f64" : "f32").get<double>());
    };
    rule.each_element = [](const GoldenCase&, const std::string& tensor) {
      return tensor == "outputs/ratios";
    };
    register_golden_set({"doubling", golden_format("doubling/1"), std::move(rule)});
    register_golden_kind("doubling", "doubled", run_doubled, {"outputs/unused*"});
    return true;
  }();
  (void)done;
  fault = Fault::None;
}

const std::map<std::string, std::string> kMetadata = {
    {"format", "doubling/1"},
    {"kind", "doubled"},
    {"config", "{}"},
    {"tolerance", R"({"f64": 1e-9, "f32": 1e-5})"}};

NamedTensors tensors() {
  return {{"inputs/x", doubles({1, 2, -3})},
          {"outputs/y", doubles({2, 4, -6})},
          {"grads/inputs/x", doubles({0, 0, 0})},
          {"outputs/count", at::full({}, 3, at::kLong)},
          {"outputs/unused/a", doubles({7})}};
}

GoldenReport::Line run_with(Fault wanted, GoldenPrecision precision = GoldenPrecision::FromCase) {
  TempDir folder;
  register_once();
  write_safetensors(folder / "doubled__one.safetensors", tensors(), kMetadata);
  fault = wanted;
  const auto report = run_golden(folder.path(), {{}, precision});
  CHECK(report.passed + report.failed + report.not_covered == 1);
  CHECK(report.lines.at(0).passed == (report.passed == 1));
  return report.lines.at(0);
}

}  // namespace

TEST_CASE("a golden case passes when every expected tensor agrees", "[golden]") {
  const auto line = run_with(Fault::None);
  CHECK(line.passed);
  CHECK(line.name == "one");
  CHECK(line.kind == "doubled");
  CHECK(line.note == "skips outputs/unused*");
  CHECK(run_with(Fault::None, GoldenPrecision::Single).passed);
}

TEST_CASE("a golden case fails on any fault, and names the tensor", "[golden]") {
  const auto wrong = run_with(Fault::Wrong);
  CHECK_FALSE(wrong.passed);
  CHECK(wrong.worst_tensor == "outputs/y");
  CHECK(wrong.error == Approx(1e-6 / 6));
  CHECK(wrong.limit == 1e-9);
  CHECK(run_with(Fault::Wrong, GoldenPrecision::Single).passed);
  CHECK_FALSE(run_with(Fault::Nan).passed);
  CHECK(run_with(Fault::LeaveOut).note == "not compared: grads/inputs/x");
  CHECK_FALSE(run_with(Fault::LeaveOut).passed);
  CHECK(run_with(Fault::WrongShape).note == "outputs/y: shape: got [1, 3], expected [3]");
  CHECK(run_with(Fault::WrongInteger).note == "outputs/count: 1 of 1 integers differ");
  CHECK(run_with(Fault::Throw).note == "[doubled] does not work");
}

TEST_CASE("infinities must stand in the same places", "[golden]") {
  TempDir folder;
  register_once();
  const double infinity = std::numeric_limits<double>::infinity();
  auto infinite = tensors();
  infinite[0].second = doubles({1, -infinity, -3});
  infinite[1].second = doubles({2, -infinity, -6});
  write_safetensors(folder / "a.safetensors", infinite, kMetadata);
  CHECK(run_golden(folder.path(), {}).ok());
  infinite[0].second = doubles({1, infinity, -3});
  write_safetensors(folder / "a.safetensors", infinite, kMetadata);
  CHECK_FALSE(run_golden(folder.path(), {}).ok());
  infinite[0].second = doubles({1, 2, -3});
  write_safetensors(folder / "a.safetensors", infinite, kMetadata);
  CHECK_FALSE(run_golden(folder.path(), {}).ok());
}

TEST_CASE("a part that is not built is counted apart", "[golden]") {
  const auto line = run_with(Fault::NotBuilt);
  CHECK_FALSE(line.covered);
  CHECK(line.note == "needs a part");
}

TEST_CASE("the error is relative to the largest value of the tensor or of its group", "[golden]") {
  TempDir folder;
  register_once();
  auto small = tensors();
  small[0].second = doubles({.0005, 0, 0});
  small[1].second = doubles({.001 + 1e-7, 0, 0});
  small[4].second = doubles({100});
  write_safetensors(folder / "a.safetensors", small, kMetadata);
  CHECK(run_golden(folder.path(), {}).lines.at(0).error == Approx(1e-7 / .1));
}

TEST_CASE("bad golden files are failed lines, filters that match nothing are errors", "[golden]") {
  TempDir folder;
  register_once();
  CHECK(error_of([&] { run_golden(folder / "none", {}); }).find("no such folder") !=
        std::string::npos);
  CHECK(error_of([&] { run_golden(folder.path(), {}); }).find("holds no golden case") !=
        std::string::npos);
  write_safetensors(folder / "doubled__one.safetensors", tensors(), kMetadata);
  auto other = kMetadata;
  other["kind"] = "surprise";
  write_safetensors(folder / "surprise__x.safetensors", tensors(), other);
  other["format"] = "elsewhere/9";
  write_safetensors(folder / "z.safetensors", tensors(), other);
  write_text(folder / "doubled__torn.safetensors", "torn");
  const auto report = run_golden(folder.path(), {});
  CHECK(report.passed == 1);
  CHECK(report.failed == 3);
  CHECK_FALSE(report.ok());
  CHECK(run_golden(folder.path(), {{"doubled/o*"}}).ok());
  CHECK(run_golden(folder.path(), {{"doubled"}}).failed == 1);
  CHECK(error_of([&] {
          run_golden(folder.path(), {{"doubled", "doubel"}});
        }).find("'doubel'") != std::string::npos);
  CHECK(to_json(report)["cases"].size() == 4);
}

TEST_CASE("a rule may ask every element to be right by itself", "[golden]") {
  TempDir folder;
  register_once();
  auto wide = tensors();
  wide.push_back({"outputs/ratios", doubles({1e8, 1e-8, 0})});
  write_safetensors(folder / "a.safetensors", wide, kMetadata);
  ratios = doubles({1e8, 1e-8, 0});
  CHECK(run_golden(folder.path(), {}).ok());
  ratios = doubles({1e8, 1.1e-8, 0});
  CHECK(run_golden(folder.path(), {}).lines.at(0).error == Approx(.1));
  ratios = doubles({1e8, 1e-8, 1e-300});
  CHECK_FALSE(run_golden(folder.path(), {}).ok());
  ratios.reset();
}

TEST_CASE("weights are loaded and gradients compared by view name", "[golden]") {
  TempDir folder;
  const auto weight = doubles({1, 2, 3, 4}).reshape({2, 2}).to(at::kFloat);
  write_safetensors(folder / "a.safetensors",
                    {{"weights/fc.weight", weight}, {"outputs/y", doubles({1})}}, kMetadata);
  GoldenCase golden{SafeTensors::open(folder / "a.safetensors"), "", "", "", {}, {}, at::kDouble};
  Linear plain(2, 2, false);
  golden.load_weights(plain, "fc.");
  CHECK(plain.views()[0].value().scalar_type() == at::kDouble);
  CHECK(plain.views()[0].value().equal(weight.to(at::kDouble)));
  CHECK(error_of([&] { golden.load_weights(plain, "other."); }).find("weights/other.weight") !=
        std::string::npos);
  Linear with_bias(2, 2, true);
  CHECK(error_of([&] { golden.load_weights(with_bias, "fc."); }).find("fc.bias") !=
        std::string::npos);
  Linear wrong(3, 2, false);
  CHECK(error_of([&] { golden.load_weights(wrong, "fc."); }).find("wrong shape") !=
        std::string::npos);
}
