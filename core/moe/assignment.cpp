#include "core/moe/assignment.h"

#include <ATen/ops/diff.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/repeat_interleave.h>

#include "core/kernels/routing.h"

namespace switchyard {

int64_t Assignment::used() const { return token_offset[-1].item<int64_t>(); }

at::Tensor Assignment::count() const { return at::diff(slot_offset); }

at::Tensor dense_weights(const Assignment& a) {
  const int64_t used = a.used();
  const auto token_A = at::repeat_interleave(at::diff(a.token_offset), std::optional(used));
  const auto place_A = token_A * a.slots() + a.slot_of.narrow(0, 0, used);
  return at::zeros({a.tokens() * a.slots()}, a.weight.options())
      .index_add(0, place_A, a.weight.narrow(0, 0, used))
      .view({a.tokens(), a.slots()});
}

Assignment make_assignment(const at::Tensor& token_offset, const at::Tensor& slot_of,
                           const at::Tensor& weight, int64_t slots) {
  constexpr auto kWhere = "make_assignment";
  check(token_offset.dim() == 1 && token_offset.size(0) >= 1, kWhere, "token_offset: got shape ",
        to_text(token_offset.sizes().vec()), ", expected [tokens + 1]");
  check(slot_of.dim() == 1 && weight.sizes() == slot_of.sizes(), kWhere,
        "slot_of and weight: got shapes ", to_text(slot_of.sizes().vec()), " and ",
        to_text(weight.sizes().vec()), ", expected one length");
  if (slot_of.is_cpu() && slot_of.numel() > 0) {
    const auto low = slot_of.min().item<int64_t>(), high = slot_of.max().item<int64_t>();
    check(low >= 0 && high < slots, kWhere, "slot: got ", low < 0 ? low : high, ", expected 0 to ",
          slots - 1);
    const auto entries = token_offset[-1].item<int64_t>();
    check(entries == slot_of.size(0) && token_offset[0].item<int64_t>() == 0 &&
              (at::diff(token_offset) >= 0).all().item<bool>(),
          kWhere, "token_offset: got an end of ", entries, ", expected a rising list from 0 to ",
          slot_of.size(0));
  }
  const auto sorted = sort_by_slot(slot_of, token_offset, slots);
  return {token_offset,    slot_of,         weight,      sorted.slot_offset,
          sorted.token_of, sorted.position, sorted.entry};
}

}  // namespace switchyard
