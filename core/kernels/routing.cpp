#include "core/kernels/routing.h"

#include <ATen/ops/isnan.h>
#include <ATen/ops/sort.h>

#include <limits>

#include "core/kernels/device_call.h"
#include "core/kernels/slot_sort.h"

namespace switchyard {

using namespace kernels;

namespace {

// Above these a sort of the row is faster than k passes over it (on a CPU it meets them at 10 to 17
// choices of 64 to 1024 slots).
constexpr int64_t kSortFromK = 16, kSortFromSlots = 2048;
constexpr int64_t kSortSlots = 8192, kSortBlocks = 132;

at::Tensor sorted_top_k(const at::Tensor& scores, int64_t k) {
  const auto least = -std::numeric_limits<double>::infinity();
  const auto order = at::sort(at::where(scores.isnan(), least, scores), /*stable=*/true, 1,
                              /*descending=*/true);
  return std::get<1>(order).narrow(1, 0, k).contiguous();
}

}  // namespace

at::Tensor top_k_slots(const at::Tensor& scores_TE, int64_t k) {
  check(scores_TE.dim() == 2, "top_k_slots", "scores: got shape ", to_text(scores_TE.sizes().vec()),
        ", expected [tokens, slots]");
  const int64_t rows = scores_TE.size(0), slots = scores_TE.size(1);
  check(k >= 1 && k <= slots, "top_k_slots", "k: got ", k, ", expected 1 to ", slots);
  auto scores = scores_TE.detach().contiguous();
  if (scores.scalar_type() != at::kDouble) scores = scores.to(at::kFloat);
  if (k > kSortFromK || slots > kSortFromSlots) return sorted_top_k(scores, k);
  auto index = at::empty({rows, k}, scores.options().dtype(at::kLong));
  launch(TopK{scores.data_ptr(), dtype_of(scores, "top_k_slots"), rows, slots, k,
              index.data_ptr<int64_t>()},
         scores.device(), top_k_cpu, top_k_cuda);
  return index;
}

SlotMajor sort_by_slot(const at::Tensor& slot_of, const at::Tensor& token_offset, int64_t slots) {
  check(slot_of.is_cpu() || slots <= kSortSlots, "sort_by_slot", "slots on a GPU: got ", slots,
        ", expected at most ", kSortSlots);
  const auto slot = slot_of.contiguous(), offset = token_offset.contiguous();
  const SlotSorting sorting(slot, offset, slots, 0,
                            slot_sort_chunk(slot.size(0), kSortBlocks, 1024));
  launch(sorting.sort, slot.device(), slot_sort_cpu, slot_sort_cuda);
  return sorting.to;
}

SlotSorting::SlotSorting(const at::Tensor& slot_of, const at::Tensor& token_offset, int64_t slots,
                         int64_t k, int64_t chunk) {
  const int64_t entries = slot_of.size(0), tokens = token_offset.size(0) - 1;
  const auto ints = [&](int64_t n) { return at::empty({n}, slot_of.options()); };
  to = {ints(slots + 1), ints(entries), ints(entries), ints(entries)};
  const auto at = [](const at::Tensor& t) { return t.data_ptr<int64_t>(); };
  sort = {at(slot_of), at(token_offset),   entries,         tokens,          slots,        k,
          chunk,       at(to.slot_offset), at(to.token_of), at(to.position), at(to.entry), nullptr};
  count = at::empty({slot_sort_pairs(slots), slot_sort_chunks(sort)},
                    slot_of.options().dtype(at::kInt));
  sort.count = reinterpret_cast<uint32_t*>(count.data_ptr<int32_t>());
}

}  // namespace switchyard
