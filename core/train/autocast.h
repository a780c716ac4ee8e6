#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace switchyard {

/// Type of the forward pass for trainer.precision: "fp32" (kFloat), "bf16" or "fp16".
at::ScalarType forward_type(const std::string& precision);

/// Autocast to `dtype` (bf16 or fp16) on `device` while this lives; kFloat: does nothing.
class AutocastScope {
 public:
  AutocastScope(at::Device device, at::ScalarType dtype);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType type_;
  bool on_, was_enabled_ = false;
  at::ScalarType was_dtype_ = at::kBFloat16;
};

}  // namespace switchyard
