#pragma once
// Arithmetic on the tokens of one level: places in a sequence, means over groups. All on the device
// of the level. Deterministic on CUDA in torch's deterministic mode, which every run switches on.

#include "core/moe/forward_context.h"

namespace switchyard {

/// [T] i64: the sequence of every token.
at::Tensor sequence_of(const TokenLevel& level, int64_t tokens);
/// [T] i64: place of every token in its own sequence, from 0, along `level.order` where there is
/// one.
at::Tensor position_in_sequence(const TokenLevel& level, int64_t tokens);
/// Mean of the valid tokens of every group, x [T, C] -> [G, C]; 0 for a group without any.
/// `groups.member_of` [T] names every token's group; `valid` [T] bool, undefined: all.
/// Differentiable in x.
at::Tensor group_mean(const at::Tensor& x_TC, const TokenLevel& groups, const at::Tensor& valid);

/// Neighbouring sequences of one length, so that one call takes them all.
struct EqualSequences {
  int64_t begin, length, count;  ///< first token, tokens of each, sequences
};
/// Reads the offsets on the host.
std::vector<EqualSequences> equal_sequences(const at::Tensor& seq_offset);

}  // namespace switchyard
