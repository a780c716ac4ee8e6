#include "routers/granularities/sequence.h"

#include "core/moe/token_groups.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};
}  // namespace

std::optional<TokenLevel> SequenceGranularity::groups(int64_t tokens,
                                                      const ForwardContext& context) const {
  const TokenLevel& level = context.level();
  const auto one_each = at::arange(level.seq_offset.size(0), level.seq_offset.options());
  return TokenLevel{one_each, {}, {}, {}, sequence_of(level, tokens)};
}

void register_sequence_granularity() {
  granularities().add<Params>(
      "sequence", "all tokens of a sequence share one decision, from their mean",
      [](const Params&) { return std::make_unique<SequenceGranularity>(); });
}

}  // namespace switchyard
