#include "core/moe/selection.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/repeat_interleave.h>

#include <optional>

namespace switchyard {

Selection fixed_k_selection(const at::Tensor& slot_TK) {
  const int64_t k = slot_TK.size(1);
  return {at::arange(0, (slot_TK.size(0) + 1) * k, k, slot_TK.options()), slot_TK.reshape(-1), k};
}

at::Tensor token_of_entry(const Selection& selection) {
  return at::repeat_interleave(at::diff(selection.token_offset),
                               std::optional(selection.slot_of.size(0)));
}

at::Tensor chosen(const at::Tensor& value_TE, const Selection& selection) {
  if (selection.k > 0) {
    const auto slot_TK = selection.slot_of.view({value_TE.size(0), selection.k});
    return value_TE.gather(1, slot_TK).reshape(-1);
  }
  const auto place_A = token_of_entry(selection) * value_TE.size(1) + selection.slot_of;
  return value_TE.reshape(-1).index_select(0, place_A);
}

Selection mask_selection(const at::Tensor& mask_TE) {
  const auto offset =
      at::cat({at::zeros({1}, mask_TE.options().dtype(at::kLong)), mask_TE.sum(1).cumsum(0)});
  return {offset, mask_TE.nonzero().select(1, 1).contiguous(), 0};
}

std::pair<Selection, at::Tensor> take_tokens(const Selection& selection, const at::Tensor& row_T) {
  const auto length_T = at::diff(selection.token_offset).index_select(0, row_T);
  const auto offset = at::cat({at::zeros({1}, row_T.options()), length_T.cumsum(0)});
  const int64_t entries =
      selection.k > 0 ? row_T.size(0) * selection.k : offset[-1].item<int64_t>();
  const auto token_A = at::repeat_interleave(length_T, std::optional(entries));
  const auto shift_T =
      selection.token_offset.index_select(0, row_T) - offset.narrow(0, 0, row_T.size(0));
  const auto entry_A = at::arange(entries, row_T.options()) + shift_T.index_select(0, token_A);
  return {{offset, selection.slot_of.index_select(0, entry_A), selection.k}, entry_A};
}

std::pair<Selection, at::Tensor> keep_entries(const Selection& selection,
                                              const at::Tensor& kept_A) {
  const auto entry_A = kept_A.nonzero().view(-1);
  const auto before = at::cat({at::zeros({1}, entry_A.options()), kept_A.to(at::kLong).cumsum(0)});
  return {{before.index_select(0, selection.token_offset),
           selection.slot_of.index_select(0, entry_A), 0},
          entry_A};
}

at::Tensor padded_slots(const Selection& selection) {
  const int64_t tokens = selection.token_offset.size(0) - 1;
  if (selection.k > 0) return selection.slot_of.view({tokens, selection.k});
  const auto length_T = at::diff(selection.token_offset);
  const int64_t most = tokens == 0 ? 0 : length_T.max().item<int64_t>();
  const auto place_K = at::arange(most, length_T.options());
  auto out_TK = at::full({tokens, most}, -1, length_T.options());
  return out_TK.masked_scatter_(place_K < length_T.unsqueeze(1), selection.slot_of);
}

std::pair<Selection, at::Tensor> where_tokens(const at::Tensor& choose_T, const Selection& yes,
                                              const Selection& no) {
  const int64_t tokens = choose_T.size(0);
  const auto behind = yes.token_offset.slice(0, 1) + no.slot_of.size(0);
  const Selection both{at::cat({no.token_offset, behind}), at::cat({no.slot_of, yes.slot_of}),
                       yes.k == no.k ? yes.k : 0};
  const auto own_T = at::arange(tokens, no.slot_of.options());
  return take_tokens(both, own_T + choose_T.to(at::kLong) * tokens);
}

}  // namespace switchyard
