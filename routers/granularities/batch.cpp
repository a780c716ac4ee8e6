#include "routers/granularities/batch.h"

namespace switchyard {
namespace {
struct Params {
  static void declare(Fields<Params>&) {}
};
}  // namespace

std::optional<TokenLevel> BatchGranularity::groups(int64_t tokens,
                                                   const ForwardContext& context) const {
  const auto options = context.level().seq_offset.options();
  return TokenLevel{at::arange(2, options), {}, {}, {}, at::zeros({tokens}, options)};
}

void register_batch_granularity() {
  granularities().add<Params>("batch", "all tokens of a batch share one decision, from their mean",
                              [](const Params&) { return std::make_unique<BatchGranularity>(); });
}

}  // namespace switchyard
