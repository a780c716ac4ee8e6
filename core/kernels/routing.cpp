#include "core/kernels/routing.h"

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

at::Tensor top_k_slots(const at::Tensor& scores_TE, int64_t k) {
  check(scores_TE.dim() == 2, "top_k_slots", "scores: got shape ", to_text(scores_TE.sizes().vec()),
        ", expected [tokens, slots]");
  const int64_t rows = scores_TE.size(0), slots = scores_TE.size(1);
  check(k >= 1 && k <= slots, "top_k_slots", "k: got ", k, ", expected 1 to ", slots);
  auto scores = scores_TE.detach().contiguous();
  if (scores.scalar_type() != at::kDouble) scores = scores.to(at::kFloat);
  auto index = at::empty({rows, k}, scores.options().dtype(at::kLong));
  launch(TopK{scores.data_ptr(), dtype_of(scores, "top_k_slots"), rows, slots, k,
              index.data_ptr<int64_t>()},
         scores.device(), top_k_cpu, top_k_cuda);
  return index;
}

SlotMajor sort_by_slot(const at::Tensor& slot_of, const at::Tensor& token_offset, int64_t slots) {
  const auto slot = slot_of.contiguous(), offset = token_offset.contiguous();
  const int64_t entries = slot.size(0), tokens = offset.size(0) - 1;
  const auto ints = [&](int64_t n) { return at::empty({n}, slot.options()); };
  SlotMajor out{ints(slots + 1), ints(entries), ints(entries), ints(entries)};
  auto scratch = ints(slot_sort_scratch(entries, slots));
  launch(SlotSort{slot.data_ptr<int64_t>(), offset.data_ptr<int64_t>(), entries, tokens, slots,
                  out.slot_offset.data_ptr<int64_t>(), out.token_of.data_ptr<int64_t>(),
                  out.position.data_ptr<int64_t>(), out.entry.data_ptr<int64_t>(),
                  scratch.data_ptr<int64_t>()},
         slot.device(), slot_sort_cpu, slot_sort_cuda);
  return out;
}

}  // namespace switchyard
