#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Runs of `length` tokens along the order of a sequence (patches of a curve, chunks of frames)
/// share one decision; the last run of a sequence may be shorter.
class WindowGranularity : public Granularity {
 public:
  explicit WindowGranularity(int64_t length) : length_(length) {}
  std::optional<TokenLevel> groups(int64_t tokens, const ForwardContext& context) const override;
  bool causal() const override { return length_ == 1; }

 private:
  int64_t length_;
};

void register_window_granularity();

}  // namespace switchyard
