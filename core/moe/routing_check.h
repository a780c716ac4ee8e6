#pragma once

#include "core/moe/router.h"

namespace switchyard {

/// How far one op's decision is from that of the stages, the largest of
///   the relative L2 error of the weights of tokens that have as many choices in both,
///   the difference of two scores that stand at the same place of a token's choices,
///   the distance from p of the sum at which a token took more choices in one than in the other:
/// rounding alone may swap near ties and move a sum over p. Waits for the device.
double routing_gap(const RouterOutput& op, const RouterOutput& stages, double p);

}  // namespace switchyard
