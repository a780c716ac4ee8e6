#include "core/moe/expert_loop.h"

#include <ATen/ops/index_add.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

namespace switchyard {
namespace {

at::Tensor of_expert(const at::Tensor& stacked, int64_t expert) {
  return stacked.defined() ? stacked.select(0, expert) : at::Tensor();
}

}  // namespace

at::Tensor expert_rows(const ExpertOperands& operands, const at::Tensor& x, int64_t expert) {
  const ExpertWeights& w = operands.experts;
  const auto z = at::linear(x, of_expert(w.in_ENC, expert), of_expert(w.in_bias, expert));
  if (w.is_linear()) return z;
  const int64_t h = w.hidden();
  const auto a = operands.gated
                     ? activate(z.narrow(1, 0, h), operands.activation) * z.narrow(1, h, h)
                     : activate(z, operands.activation);
  return at::linear(a, of_expert(w.out_EDH, expert), of_expert(w.out_bias, expert));
}

at::Tensor expert_loop(const ExpertOperands& operands) {
  const Assignment& s = operands.assignment;
  const auto& x = operands.x_TC;
  const auto weight = s.weight.to(x.scalar_type()).index_select(0, s.entry);
  const auto offset = s.slot_offset.to(at::kCPU);
  const int64_t* begin = offset.const_data_ptr<int64_t>();
  auto y = at::zeros({x.size(0), operands.experts.width()}, x.options());
  for (int64_t e = 0; e < s.slots(); ++e) {
    const int64_t rows = begin[e + 1] - begin[e];
    const auto token = s.token_of.narrow(0, begin[e], rows);
    const auto part = expert_rows(operands, x.index_select(0, token), e).to(y.scalar_type());
    y = y.index_add(0, token, part * weight.narrow(0, begin[e], rows).unsqueeze(1));
  }
  return y;
}

}  // namespace switchyard
