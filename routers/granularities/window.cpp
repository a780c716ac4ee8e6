#include "routers/granularities/window.h"

#include <ATen/ops/diff.h>

#include "core/moe/token_groups.h"

namespace switchyard {
namespace {
struct Params {
  int64_t length = 64;
  static void declare(Fields<Params>& f) {
    f.add("length", &Params::length, "tokens of a window", at_least(1));
  }
};
}  // namespace

std::optional<TokenLevel> WindowGranularity::groups(int64_t tokens,
                                                    const ForwardContext& context) const {
  const TokenLevel& level = context.level();
  const auto windows_S = (at::diff(level.seq_offset) + (length_ - 1)).div(length_, "floor");
  const auto offset = at::cat({at::zeros({1}, level.seq_offset.options()), windows_S.cumsum(0)});
  const auto window_T = position_in_sequence(level, tokens).div(length_, "floor");
  const auto member_T = offset.index_select(0, sequence_of(level, tokens)) + window_T;
  return TokenLevel{offset, {}, {}, {}, member_T};
}

void register_window_granularity() {
  granularities().add<Params>(
      "window", "runs of tokens along the order share one decision, from their mean",
      [](const Params& p) { return std::make_unique<WindowGranularity>(p.length); });
}

}  // namespace switchyard
