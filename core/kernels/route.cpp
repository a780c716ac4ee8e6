#include "core/kernels/route.h"

#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/device_call.h"
#include "core/kernels/slot_sort.h"

namespace switchyard {
namespace {

using namespace kernels;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using Optional = std::optional<at::Tensor>;

/// Operands of forced tokens; without those no slot is added.
struct Forcing {
  Optional seq_offset, routed_S;
};

/// scores (empty where a GPU need not give them), weight, token_offset, slot_of, slot_offset,
/// token_of, position, entry.
variable_list route(const at::Tensor& logits, const TopKRule& rule, const Forcing& forcing,
                    bool with_scores) {
  const int64_t tokens = logits.size(0), columns = logits.size(1), entries = tokens * rule.k;
  const int64_t slots = columns + (forcing.seq_offset ? 1 : 0);
  const auto ints = [&](int64_t n) { return at::empty({n}, logits.options().dtype(at::kLong)); };
  const bool writes = with_scores || !logits.is_cuda();
  const auto scores = at::empty({writes ? tokens : 0, columns}, logits.options()),
             weight = at::empty({entries}, logits.options()), token_offset = ints(tokens + 1),
             slot_of = ints(entries);
  const SlotSorting sorting(slot_of, token_offset, slots, rule.k,
                            route_chunk(tokens, columns) * rule.k);
  const auto& routed = forcing.routed_S;
  launch(
      Route{logits.data_ptr(), dtype_of(logits, "route_top_k"), static_cast<ScoreKind>(rule.score),
            rule.renormalise, columns, routed ? routed->data_ptr<bool>() : nullptr,
            routed ? forcing.seq_offset->data_ptr<int64_t>() : nullptr,
            routed ? routed->size(0) : 0, writes ? scores.data_ptr() : nullptr, weight.data_ptr(),
            slot_of.data_ptr<int64_t>(), token_offset.data_ptr<int64_t>(), sorting.sort},
      logits.device(), route_cpu, route_cuda);
  const SlotMajor& to = sorting.to;
  return {scores,         weight,      token_offset, slot_of,
          to.slot_offset, to.token_of, to.position,  to.entry};
}

class RouteTopK : public torch::autograd::Function<RouteTopK> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& logits, int64_t score,
                               bool renormalise, int64_t k, const Optional& seq_offset,
                               const Optional& routed_S, bool with_scores) {
    auto out = route(logits, {static_cast<Score>(score), renormalise, k}, {seq_offset, routed_S},
                     with_scores);
    context->mark_non_differentiable({out.begin() + 2, out.end()});
    context->set_materialize_grads(false);
    context->save_for_backward({logits, out[1], out[3]});
    context->saved_data["score"] = score;
    context->saved_data["renormalise"] = renormalise;
    context->saved_data["k"] = k;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& logits = saved[0];
    const auto contiguous = [](const at::Tensor& t) { return t.defined() ? t.contiguous() : t; };
    const auto pointer = [](const at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; };
    const auto dscores = contiguous(grads[0]), dweight = contiguous(grads[1]);
    auto dlogits = at::empty_like(logits);
    launch(RouteBackward{logits.data_ptr(), pointer(dscores), saved[1].data_ptr(), pointer(dweight),
                         saved[2].data_ptr<int64_t>(), dtype_of(logits, "route_top_k"),
                         static_cast<ScoreKind>(context->saved_data["score"].toInt()),
                         context->saved_data["renormalise"].toBool(), logits.size(0),
                         logits.size(1), context->saved_data["k"].toInt(), dlogits.data_ptr()},
           logits.device(), route_backward_cpu, route_backward_cuda);
    return {dlogits, {}, {}, {}, {}, {}, {}};
  }
};

constexpr auto kWhere = "route_top_k";

/// Contiguous, on the device of the logits.
Forcing checked(const ForcedTokens& forced, const TopKRule& rule, const at::Tensor& logits_TE) {
  check(rule.k == 1, kWhere, "k with forced tokens: got ", rule.k, ", expected 1");
  const auto here = [&](const at::Tensor& t) { return t.to(logits_TE.device()).contiguous(); };
  Forcing out{here(forced.seq_offset), {}};
  if (!forced.routed_S.defined()) return out;
  check(forced.routed_S.scalar_type() == at::kBool &&
            forced.routed_S.numel() + 1 == forced.seq_offset.numel(),
        kWhere, "routed: got ", c10::toString(forced.routed_S.scalar_type()), " ",
        to_text(forced.routed_S.sizes().vec()), ", expected Bool [", forced.seq_offset.numel() - 1,
        "]");
  out.routed_S = here(forced.routed_S);
  return out;
}

}  // namespace

bool route_top_k_fits(int64_t slots, int64_t k) { return slots <= kRouteSlots && k <= kRouteBest; }

Routed route_top_k(const at::Tensor& logits_TE, const TopKRule& rule,
                   const std::optional<ForcedTokens>& forced, bool with_scores) {
  const int64_t most = kRouteSlots - (forced ? 1 : 0);
  check(logits_TE.dim() == 2 && logits_TE.size(1) <= most, kWhere, "logits: got shape ",
        to_text(logits_TE.sizes().vec()), ", expected [tokens, slots], at most ", most, " slots");
  const int64_t best = std::min(kRouteBest, logits_TE.size(1));
  check(rule.k >= 1 && rule.k <= best, kWhere, "k: got ", rule.k, ", expected 1 to ", best);
  const auto type = logits_TE.scalar_type();
  check(type == at::kFloat || type == at::kDouble, kWhere, "type of the logits: got ",
        c10::toString(type), "; valid: float, double");
  const Forcing forcing = forced ? checked(*forced, rule, logits_TE) : Forcing{};
  const auto out =
      RouteTopK::apply(logits_TE.contiguous(), static_cast<int64_t>(rule.score), rule.renormalise,
                       rule.k, forcing.seq_offset, forcing.routed_S, with_scores);
  return {with_scores ? out[0] : at::Tensor(),
          {out[2], out[3], out[1], out[4], out[5], out[6], out[7], rule.k == 1}};
}

}  // namespace switchyard
