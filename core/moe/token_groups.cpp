#include "core/moe/token_groups.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/repeat_interleave.h>

namespace switchyard {

at::Tensor sequence_of(const TokenLevel& level, int64_t tokens) {
  return at::repeat_interleave(at::diff(level.seq_offset), std::optional(tokens));
}

at::Tensor position_in_sequence(const TokenLevel& level, int64_t tokens) {
  const auto place =
      level.order.defined() ? level.order : at::arange(tokens, level.seq_offset.options());
  return place - level.seq_offset.index_select(0, sequence_of(level, tokens));
}

at::Tensor group_mean(const at::Tensor& x_TC, const TokenLevel& groups, const at::Tensor& valid) {
  auto x = x_TC;
  auto member = groups.member_of;
  if (valid.defined()) {
    const auto kept = valid.nonzero().view(-1);
    x = x.index_select(0, kept);
    member = member.index_select(0, kept);
  }
  const int64_t count = groups.seq_offset[-1].item<int64_t>();
  const auto sum_GC = at::zeros({count, x.size(1)}, x.options()).index_add(0, member, x);
  const auto size_G =
      at::zeros({count}, x.options()).index_add(0, member, at::ones({x.size(0)}, x.options()));
  return sum_GC / size_G.clamp_min(1).unsqueeze(1);
}

std::vector<EqualSequences> equal_sequences(const at::Tensor& seq_offset) {
  const auto offset = seq_offset.to(at::kCPU);
  const int64_t* at = offset.const_data_ptr<int64_t>();
  std::vector<EqualSequences> out;
  for (int64_t s = 0; s + 1 < offset.size(0); ++s) {
    const int64_t length = at[s + 1] - at[s];
    if (!out.empty() && out.back().length == length)
      ++out.back().count;
    else
      out.push_back({at[s], length, 1});
  }
  return out;
}

}  // namespace switchyard
