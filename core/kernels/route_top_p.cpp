#include "core/kernels/route_top_p.h"

#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/device_call.h"
#include "core/kernels/route_top_p_launch.h"
#include "core/kernels/slot_sort.h"

namespace switchyard {
namespace {

using namespace kernels;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kWhere = "route_top_p";

/// scores, weight, chosen, token_offset, slot_of, slot_offset, token_of, position, entry.
variable_list route(const at::Tensor& logits, const TopPRule& rule) {
  const int64_t tokens = logits.size(0), columns = logits.size(1), k = rule.best.k,
                entries = tokens * k, slots = columns - rule.null_slots;
  const auto of = [&](at::IntArrayRef shape, at::ScalarType type) {
    return at::empty(shape, logits.options().dtype(type));
  };
  const auto scores = at::empty_like(logits), weight = at::empty({entries}, logits.options()),
             chosen = of({tokens, k}, at::kShort), token_offset = of({tokens + 1}, at::kLong),
             slot_of = of({entries}, at::kLong);
  const SlotSorting sorting(slot_of, token_offset, slots, k, route_chunk(tokens, columns) * k);
  const auto share = logits.is_cpu() ? at::Tensor() : at::empty({entries}, logits.options());
  launch(RouteTopP{logits.data_ptr(), dtype_of(logits, kWhere),
                   static_cast<ScoreKind>(rule.best.score), rule.best.renormalise, rule.keep_share,
                   rule.singles, rule.p, columns, scores.data_ptr(), chosen.data_ptr<int16_t>(),
                   share.defined() ? share.data_ptr() : nullptr, weight.data_ptr(),
                   slot_of.data_ptr<int64_t>(), token_offset.data_ptr<int64_t>(), sorting.sort},
         logits.device(), route_top_p_cpu, route_top_p_cuda);
  const SlotMajor& to = sorting.to;
  return {scores,         weight,      chosen,      token_offset, slot_of,
          to.slot_offset, to.token_of, to.position, to.entry};
}

class RouteByTopP : public torch::autograd::Function<RouteByTopP> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& logits,
                               const TopPRule& rule) {
    auto out = route(logits, rule);
    context->mark_non_differentiable({out.begin() + 2, out.end()});
    context->set_materialize_grads(false);
    context->save_for_backward({out[0], out[2], out[3]});
    context->saved_data["score"] = static_cast<int64_t>(rule.best.score);
    context->saved_data["renormalise"] = rule.best.renormalise;
    context->saved_data["keep_share"] = rule.keep_share;
    context->saved_data["singles"] = rule.singles;
    context->saved_data["null_slots"] = rule.null_slots;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &scores = saved[0], &chosen = saved[1];
    const auto contiguous = [](const at::Tensor& t) { return t.defined() ? t.contiguous() : t; };
    const auto pointer = [](const at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; };
    const auto flag = [&](const char* name) { return context->saved_data[name].toBool(); };
    const auto dscores = contiguous(grads[0]), dweight = contiguous(grads[1]);
    const int64_t slots = scores.size(1) - context->saved_data["null_slots"].toInt();
    auto dlogits = at::empty_like(scores);
    launch(
        RouteTopPBackward{scores.data_ptr(), pointer(dscores), pointer(dweight),
                          chosen.data_ptr<int16_t>(), saved[2].data_ptr<int64_t>(),
                          dtype_of(scores, kWhere),
                          static_cast<ScoreKind>(context->saved_data["score"].toInt()),
                          flag("renormalise"), flag("keep_share"), flag("singles"), scores.size(0),
                          scores.size(1), slots, chosen.size(1), dlogits.data_ptr()},
        scores.device(), route_top_p_backward_cpu, route_top_p_backward_cuda);
    return {dlogits, {}};
  }
};

}  // namespace

bool is_top_k(const TopPRule& rule) {
  return rule.p >= 1 && rule.null_slots == 0 &&
         !(rule.best.renormalise && rule.singles && rule.best.k == 1);
}

RoutedTopP route_top_p(const at::Tensor& logits_TE, const TopPRule& rule) {
  check(logits_TE.dim() == 2 && logits_TE.size(1) <= kRouteSlots, kWhere, "logits: got shape ",
        to_text(logits_TE.sizes().vec()), ", expected [tokens, columns], at most ", kRouteSlots,
        " columns");
  const int64_t columns = logits_TE.size(1), best = std::min(kRouteBest, columns);
  check(rule.best.k >= 1 && rule.best.k <= best, kWhere, "k: got ", rule.best.k, ", expected 1 to ",
        best);
  check(rule.null_slots >= 0 && rule.null_slots < columns, kWhere, "null_slots: got ",
        rule.null_slots, ", expected 0 to ", columns - 1);
  const auto type = logits_TE.scalar_type();
  check(type == at::kFloat || type == at::kDouble, kWhere, "type of the logits: got ",
        c10::toString(type), "; valid: float, double");
  const auto out = RouteByTopP::apply(logits_TE.contiguous(), rule);
  return {out[0], out[2], {out[3], out[4], out[1], out[5], out[6], out[7], out[8]}};
}

}  // namespace switchyard
