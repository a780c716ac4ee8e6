#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// Every token decides alone.
class TokenGranularity : public Granularity {
 public:
  std::optional<TokenLevel> groups(int64_t, const ForwardContext&) const override { return {}; }
  bool causal() const override { return true; }
  bool alone() const override { return true; }
};

void register_token_granularity();

}  // namespace switchyard
