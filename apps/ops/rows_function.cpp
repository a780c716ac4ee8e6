#include "apps/ops/rows_function.h"

#include <torch/csrc/autograd/custom_function.h>

#include "core/base/error.h"
#include "core/kernels/rows.h"

namespace switchyard {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class GatherTokens : public torch::autograd::Function<GatherTokens> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TC,
                            const at::Tensor& token_of, const at::Tensor& position,
                            const at::Tensor& token_offset) {
    context->save_for_backward({position, token_offset});
    return gather_rows(x_TC, token_of);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    return {combine_rows(grads[0].contiguous(), {}, saved[0], saved[1]), {}, {}, {}};
  }
};

class CombineTokens : public torch::autograd::Function<CombineTokens> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows_AD,
                            const at::Tensor& weight_A, const at::Tensor& token_of,
                            const at::Tensor& position, const at::Tensor& entry,
                            const at::Tensor& token_offset) {
    context->save_for_backward({rows_AD, weight_A, token_of, position, entry});
    return combine_rows(rows_AD, weight_A, position, token_offset);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto s = context->get_saved_variables();
    const at::Tensor &rows = s[0], &weight = s[1], &token_of = s[2], &position = s[3],
                     &entry = s[4];
    const auto dy_AD = gather_rows(grads[0], token_of);
    const auto dot_A = (rows.to(weight.scalar_type()) * dy_AD).sum(1);
    const auto drows_AD = dy_AD * weight.index_select(0, entry).unsqueeze(1);
    return {drows_AD.to(rows.scalar_type()), dot_A.index_select(0, position), {}, {}, {}, {}};
  }
};

}  // namespace

Assignment assignment_of(at::TensorList routing) {
  check(routing.size() == 7, "routing", "got ", routing.size(),
        " tensors, expected the 7 that route_top_k gives behind the scores");
  return {routing[1], routing[2], routing[0], routing[3], routing[4], routing[5], routing[6]};
}

at::Tensor gather_tokens(const at::Tensor& x_TC, at::TensorList routing) {
  const Assignment a = assignment_of(routing);
  check(x_TC.dim() == 2 && x_TC.size(0) == a.tokens(), "gather", "x: got shape ",
        to_text(x_TC.sizes().vec()), ", expected [", a.tokens(), ", channels]");
  return GatherTokens::apply(x_TC, a.token_of, a.position, a.token_offset);
}

at::Tensor combine_tokens(const at::Tensor& rows_AD, at::TensorList routing) {
  const Assignment a = assignment_of(routing);
  check(rows_AD.dim() == 2 && rows_AD.size(0) == a.entries(), "combine", "rows: got shape ",
        to_text(rows_AD.sizes().vec()), ", expected [", a.entries(), ", channels]");
  return CombineTokens::apply(rows_AD.contiguous(), a.weight.to(row_weight_type(rows_AD)),
                              a.token_of, a.position, a.entry, a.token_offset);
}

}  // namespace switchyard
