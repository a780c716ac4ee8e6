#pragma once

#include <ATen/core/Tensor.h>

namespace switchyard {

struct RouterOutput;

/// What a trace says of a pass (trace.h): the entries of every token and behind them its choices
/// without one, which have weight 0: null slots, numbered behind all others, and those that a cut
/// dropped. On the CPU.
struct TracedChoices {
  at::Tensor length_T;  ///< i64
  at::Tensor slot_A;    ///< i16
  at::Tensor weight_A;  ///< f16
  at::Tensor kept_A;    ///< u8, 0: dropped
};
TracedChoices traced_choices(const RouterOutput& routed);

}  // namespace switchyard
