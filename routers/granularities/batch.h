#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// All tokens of the pass share one decision. The one group stands in one sequence, so a scorer
/// that reads per-sequence fields cannot work with it.
class BatchGranularity : public Granularity {
 public:
  std::optional<TokenLevel> groups(int64_t tokens, const ForwardContext& context) const override;
  bool causal() const override { return false; }
};

void register_batch_granularity();

}  // namespace switchyard
