#include "routers/selectors/topk.h"

#include "core/kernels/routing.h"

namespace switchyard {
namespace {
struct Params {
  int64_t k = 2;
  static void declare(Fields<Params>& f) {
    f.add("k", &Params::k, "experts per token", at_least(1));
  }
};
}  // namespace

Selection TopKSelector::select(const SelectorInput& input, const ForwardContext&) {
  return fixed_k_selection(top_k_slots(input.scores_TE, k_));
}

void register_topk_selector() {
  selectors().add<Params>(
      "topk", "the k best slots of every token", [](const Params& p, int64_t, int64_t experts) {
        check(p.k <= experts, "router.selector.k", "more experts per token than experts: got ", p.k,
              ", expected 1 to ", experts);
        return std::make_unique<TopKSelector>(p.k);
      });
}

}  // namespace switchyard
