#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// All tokens of a sequence (cloud, clip, image) share one decision. An empty sequence is a group
/// without tokens.
class SequenceGranularity : public Granularity {
 public:
  std::optional<TokenLevel> groups(int64_t tokens, const ForwardContext& context) const override;
  bool causal() const override { return false; }
};

void register_sequence_granularity();

}  // namespace switchyard
