#include "core/golden/result.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/nn/module.h"

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// NaN anywhere gives NaN; an empty tensor gives 0.
double largest_of(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0 : tensor.to(at::kDouble).abs().max().item<double>();
}

double largest_finite(const at::Tensor& tensor) {
  return largest_of(tensor.masked_fill(tensor.isinf(), 0));
}

/// Equal infinities have distance 0, all others infinity or NaN.
double largest_distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return largest_of((x - y).masked_fill(x == y, 0));
}

/// Largest of |a - b| / |b|; equal elements count 0.
double largest_ratio(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return largest_of(((x - y) / y).masked_fill(x == y, 0));
}

std::string shortened(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  if (names.size() <= kShown) return join(names);
  return cat(join({names.begin(), names.begin() + kShown}), " and ", names.size() - kShown,
             " more");
}

}  // namespace

std::vector<std::string> expected_tensors(const SafeTensors& file) {
  std::vector<std::string> out;
  for (const std::string& name : file.names()) {
    const std::string group = golden_group(name);
    if (group != "weights" && group != "inputs") out.push_back(name);
  }
  return out;
}

GoldenComparison::GoldenComparison(const GoldenCase& golden, const GoldenRule& rule)
    : golden_(golden), rule_(rule) {
  for (const std::string& name : expected_tensors(golden.file)) {
    const at::Tensor tensor = golden.file.get(name);
    if (!tensor.is_floating_point()) continue;
    double& largest = largest_[golden_group(name)];
    largest = std::max(largest, largest_finite(tensor));
  }
}

void GoldenComparison::compare(const std::string& name, const at::Tensor& actual) {
  const std::string group = golden_group(name);
  check(group != "weights" && group != "inputs", name, "is not an expected result");
  const at::Tensor expected = golden_.file.get(name);
  compared_.insert(name);
  const at::Tensor got = actual.defined() ? actual.detach().cpu()
                                          : at::zeros(expected.sizes(), expected.scalar_type());
  if (got.sizes() != expected.sizes()) {
    return fail_tensor(name, cat("shape: got ", to_text(got.sizes().vec()), ", expected ",
                                 to_text(expected.sizes().vec())));
  }
  if (expected.is_floating_point()) return compare_floating(name, expected, got);
  if (got.is_floating_point())
    return fail_tensor(name, "type: got floating point, expected integers");
  const int64_t different = (got.to(at::kLong) != expected.to(at::kLong)).sum().item<int64_t>();
  if (different > 0)
    return fail_tensor(name, cat(different, " of ", expected.numel(), " integers differ"));
  record(name, 0, 0);
}

void GoldenComparison::compare_floating(const std::string& name, const at::Tensor& expected,
                                        const at::Tensor& actual) {
  const std::string group = golden_group(name);
  const auto limit = rule_.limit(golden_, name);
  if (!limit) return fail_tensor(name, "the case gives no limit for this precision");
  const bool each = rule_.each_element && rule_.each_element(golden_, name);
  const double distance =
      each ? largest_ratio(actual, expected) : largest_distance(actual, expected);
  if (std::isnan(distance)) return fail_tensor(name, "holds NaN");
  const double scale =
      each ? 1 : std::max(largest_finite(expected), rule_.floor(golden_, name, largest_[group]));
  record(name, distance == 0 ? 0 : distance / scale, *limit);
}

void GoldenComparison::compare_module(const Module& module, const std::string& prefix) {
  for (const ParamView& view : module.views()) {
    const std::string key = prefix + view.name;
    const std::string name = (view.trainable ? rule_.weight_gradients : "outputs/buffers/") + key;
    if (golden_.has(name)) compare(name, view.trainable ? view.grad() : view.value());
  }
}

void GoldenComparison::fail_tensor(const std::string& name, const std::string& what) {
  if (first_failure_.empty()) first_failure_ = name + ": " + what;
  record(name, kInfinity, 0);
}

void GoldenComparison::record(const std::string& name, double error, double limit) {
  const double share = error == 0 ? 0 : error / limit;
  if (share <= worst_share_) return;
  worst_share_ = share;
  worst_tensor_ = name;
  worst_error_ = error;
  worst_limit_ = limit;
}

std::vector<std::string> GoldenComparison::missing(const std::vector<std::string>& skip) const {
  std::vector<std::string> out;
  for (const std::string& name : expected_tensors(golden_.file)) {
    const auto matches = [&](const std::string& pattern) { return matches_glob(pattern, name); };
    if (!compared_.count(name) && std::none_of(skip.begin(), skip.end(), matches))
      out.push_back(name);
  }
  return out;
}

void GoldenComparison::finish(const std::vector<std::string>& skip,
                              GoldenReport::Line& line) const {
  line.worst_tensor = worst_tensor_;
  line.error = worst_error_;
  line.limit = worst_limit_;
  line.note = first_failure_;
  const auto left = missing(skip);
  if (!left.empty() && line.note.empty()) line.note = "not compared: " + shortened(left);
  if (compared_.empty() && line.note.empty()) line.note = "compared nothing";
  line.passed = line.note.empty() && worst_share_ <= 1;
  if (line.passed && !skip.empty()) line.note = "skips " + join(skip);
}

}  // namespace switchyard
