#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

/// bf16 autocast on `device` while this lives; does nothing if `on` is false.
class AutocastScope {
 public:
  AutocastScope(at::Device device, bool on);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType type_;
  bool on_, was_enabled_ = false;
  at::ScalarType was_dtype_ = at::kBFloat16;
};

}  // namespace switchyard
