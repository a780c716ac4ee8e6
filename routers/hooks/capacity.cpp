#include "routers/hooks/capacity.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/isnan.h>

#include <cmath>
#include <limits>

namespace switchyard {
namespace {

at::Tensor stable_order(const at::Tensor& key_A, bool descending) {
  return std::get<1>(key_A.sort(/*stable=*/true, 0, descending));
}

/// [A] the entries, those that stay longest first; NaN last.
at::Tensor by_rank(const ChoiceInput& input, const std::string& drop) {
  const Selection& s = input.selection;
  if (drop == "latest") return at::arange(s.slot_of.size(0), s.slot_of.options());
  const auto value_A = chosen(drop == "lowest" ? input.scores_TE : input.logits_TE, s);
  const double least = -std::numeric_limits<double>::infinity();
  return stable_order(value_A.masked_fill(value_A.isnan(), least), true);
}

/// [A] i64: place of every entry among those of its slot, in the order of `first_A`.
at::Tensor place_in_slot(const at::Tensor& slot_A, const at::Tensor& first_A, int64_t slots) {
  const auto order_A =
      first_A.index_select(0, stable_order(slot_A.index_select(0, first_A), false));
  const auto count_E = at::bincount(slot_A, {}, slots);
  const auto start_E = count_E.cumsum(0) - count_E;
  const auto place = at::arange(slot_A.size(0), slot_A.options());
  return at::empty_like(slot_A).scatter_(0, order_A, place) - start_E.index_select(0, slot_A);
}

}  // namespace

void CapacityHook::Params::declare(Fields<Params>& f) {
  f.add("factor", &Params::factor, "tokens of a slot at most, over those of a balanced one",
        between(0, 1e6));
  f.add("least", &Params::least, "tokens of a slot that are never too many", at_least(1));
  f.add("drop", &Params::drop, "what goes where there is too much",
        Choices{{"lowest", "lowest_logit", "latest"}});
}

int64_t CapacityHook::capacity(int64_t tokens, int64_t slots, int64_t k) const {
  const double share = static_cast<double>(tokens) / static_cast<double>(slots) * params_.factor *
                       static_cast<double>(std::max<int64_t>(1, k));
  return std::max(params_.least, static_cast<int64_t>(std::ceil(share)));
}

at::Tensor CapacityHook::kept(const ChoiceInput& input) const {
  const Selection& s = input.selection;
  const int64_t tokens = input.scores_TE.size(0), slots = input.scores_TE.size(1);
  // Entries of tokens that do not take part count for a slot of their own, behind all others.
  auto slot_A = s.slot_of;
  if (input.open_T.defined())
    slot_A = slot_A.masked_fill(~input.open_T.index_select(0, token_of_entry(s)), slots);
  const auto first_A = by_rank(input, params_.drop);
  const int64_t most = capacity(tokens, slots, s.k);
  return (place_in_slot(slot_A, first_A, slots + 1) < most) & (slot_A < slots);
}

void register_capacity_hook() {
  selection_hooks().add<CapacityHook::Params>(
      "capacity", "an expert takes a bounded number of tokens, and others lose it",
      [](const CapacityHook::Params& p) { return std::make_unique<CapacityHook>(p); });
}

}  // namespace switchyard
