#include "core/base/flop_counter.h"

#include <ATen/record_function.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace switchyard {
namespace {

struct Groups {
  at::Tensor ends;
  int64_t flops_per_row;
};

std::atomic<bool> counts{false};
std::atomic<int64_t> total{0};
std::mutex groups_lock;
std::vector<Groups> groups;

using Inputs = c10::ArrayRef<const c10::IValue>;

/// Tensor i of an operator's inputs, undefined where there is none.
at::Tensor tensor(Inputs inputs, size_t i) {
  return i < inputs.size() && inputs[i].isTensor() ? inputs[i].toTensor() : at::Tensor();
}

/// a [.., inner] x b [.., inner, columns].
void count_matmul(const at::Tensor& a, const at::Tensor& b) {
  if (a.defined() && b.defined()) total += 2 * a.numel() * b.size(-1);
}

/// Rows [A, K] by matrices [E, K, N], or, of a gradient, [M, A] by [A, N], by groups of A.
void count_grouped_mm(Inputs inputs) {
  const auto a = tensor(inputs, 0), b = tensor(inputs, 1), ends = tensor(inputs, 2);
  if (a.defined() && ends.defined() && a.dim() == 2)
    count_grouped(ends, b.dim() == 3 ? a.size(1) : a.size(0), b.size(-1));
  else
    count_matmul(a, b);
}

/// q [B, H, L, D] k^T, and the weights times v.
void count_attention(Inputs inputs) {
  const auto q = tensor(inputs, 0), k = tensor(inputs, 1);
  if (q.defined() && k.defined()) total += 4 * q.numel() * k.size(2);
}

/// A convolution, whose output is not there yet.
struct Convolution : at::ObserverContext {
  explicit Convolution(int64_t each) : flops_per_value(each) {}
  int64_t flops_per_value;
};
std::unique_ptr<at::ObserverContext> begin_convolution(Inputs inputs) {
  constexpr size_t kTransposed = 6;
  const auto x = tensor(inputs, 0), weight = tensor(inputs, 1);
  if (!x.defined() || !weight.defined() || weight.size(0) == 0) return nullptr;
  const int64_t each = 2 * weight.numel() / weight.size(0);
  if (!inputs[kTransposed].toBool()) return std::make_unique<Convolution>(each);
  total += each * x.numel();
  return nullptr;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  const auto inputs = function.inputs();
  if (name == "aten::convolution") return begin_convolution(inputs);
  if (name == "aten::mm" || name == "aten::bmm")
    count_matmul(tensor(inputs, 0), tensor(inputs, 1));
  else if (name == "aten::addmm" || name == "aten::baddbmm")
    count_matmul(tensor(inputs, 1), tensor(inputs, 2));
  else if (name == "aten::_grouped_mm")
    count_grouped_mm(inputs);
  else if (name.starts_with("aten::_scaled_dot_product_"))
    count_attention(inputs);
  return nullptr;
}

void end(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* convolution = dynamic_cast<Convolution*>(context);
  const auto& outputs = function.outputs();
  if (convolution && outputs.size() == 1 && outputs[0].isTensor())
    total += convolution->flops_per_value * outputs[0].toTensor().numel();
}

}  // namespace

FlopCounter::FlopCounter() {
  total = 0;
  handle_ = at::addGlobalCallback(at::RecordFunctionCallback(begin, end)
                                      .needsInputs(true)
                                      .needsOutputs(true)
                                      .scopes({at::RecordScope::FUNCTION}));
  counts = true;
}

FlopCounter::~FlopCounter() {
  at::removeCallback(handle_);
  const std::lock_guard lock(groups_lock);
  counts = false;
  groups.clear();
}

int64_t FlopCounter::flops() const {
  const std::lock_guard lock(groups_lock);
  for (const Groups& g : groups) total += g.ends.select(0, -1).item().toLong() * g.flops_per_row;
  groups.clear();
  return total;
}

void count_product(int64_t rows, int64_t inner, int64_t columns) {
  total += 2 * rows * inner * columns;
}

void count_grouped(const at::Tensor& ends, int64_t inner, int64_t columns) {
  if (!counts || ends.numel() == 0) return;
  const std::lock_guard lock(groups_lock);
  if (counts) groups.push_back({ends, 2 * inner * columns});
}

}  // namespace switchyard
