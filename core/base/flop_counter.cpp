#include "core/base/flop_counter.h"

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <atomic>
#include <string_view>

namespace switchyard {
namespace {

std::atomic<int64_t> total{0};

/// Products of two matrices: rows x inner times inner x columns, `batch` of them.
int64_t matmul_flops(const at::Tensor& a, const at::Tensor& b) {
  return 2 * a.numel() * (b.dim() > 0 ? b.size(-1) : 1);
}

std::unique_ptr<at::ObserverContext> observe(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  const auto inputs = function.inputs();
  if (name.starts_with("aten::_scaled_dot_product_") && inputs.size() >= 2 &&
      inputs[0].isTensor()) {
    total += 4 * inputs[0].toTensor().numel() *
             inputs[1].toTensor().size(2);  // q [B, H, L, D], k likewise
    return nullptr;
  }
  size_t first = 0;
  if (name == "aten::addmm" || name == "aten::baddbmm")
    first = 1;
  else if (name != "aten::mm" && name != "aten::bmm" && name != "aten::_grouped_mm")
    return nullptr;
  if (inputs.size() >= first + 2 && inputs[first].isTensor() && inputs[first + 1].isTensor()) {
    total += matmul_flops(inputs[first].toTensor(), inputs[first + 1].toTensor());
  }
  return nullptr;
}

}  // namespace

FlopCounter::FlopCounter() {
  total = 0;
  handle_ = at::addGlobalCallback(
      at::RecordFunctionCallback(observe).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
}

FlopCounter::~FlopCounter() { at::removeCallback(handle_); }

int64_t FlopCounter::flops() const { return total; }

void count_product(int64_t rows, int64_t inner, int64_t columns) {
  total += 2 * rows * inner * columns;
}

}  // namespace switchyard
