#include "core/kernels/subm_conv.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

namespace switchyard {
namespace {

constexpr int64_t kBlockRows = 512;

/// Calls use(begin, panel [rows, V * C]) for blocks of rows; a block's panel stays in the cache.
template <class Use>
void for_each_panel(const at::Tensor& x, const at::Tensor& neighbor, bool reversed, Use&& use) {
  const int64_t count = neighbor.size(0), offsets = neighbor.size(1), width = offsets * x.size(1);
  if (!x.is_cpu()) {  // one row of zeros in front stands for "no neighbour"
    const at::Tensor padded = at::cat({at::zeros({1, x.size(1)}, x.options()), x});
    const at::Tensor index = (reversed ? neighbor.flip(1) : neighbor).reshape({-1}).to(at::kLong) + 1;
    return use(int64_t{0}, padded.index_select(0, index).view({count, width}));
  }
  at::Tensor buffer = at::empty({std::min(count, kBlockRows), width}, x.options());
  for (int64_t begin = 0; begin < count; begin += kBlockRows) {
    at::Tensor panel = buffer.slice(0, 0, std::min(kBlockRows, count - begin));
    gather_panel_cpu(x, neighbor, begin, reversed, panel);
    use(begin, panel);
  }
}

/// panel(x) times weight^T for every row; weight [columns out, V * C].
at::Tensor panel_product(const at::Tensor& x, const at::Tensor& neighbor, bool reversed, const at::Tensor& weight) {
  at::Tensor out = at::empty({neighbor.size(0), weight.size(0)}, x.options());
  for_each_panel(x, neighbor, reversed, [&](int64_t begin, const at::Tensor& panel) {
    at::Tensor rows = out.slice(0, begin, begin + panel.size(0));
    at::mm_out(rows, panel, weight.t());
  });
  return out;
}

/// [Cout, V * Cin] -> [Cin, V * Cout], the weight that carries gradients back.
at::Tensor transposed_weight(const at::Tensor& weight, int64_t offsets) {
  const int64_t out = weight.size(0), in = weight.size(1) / offsets;
  return weight.view({out, offsets, in}).permute({2, 1, 0}).reshape({in, offsets * out});
}

class SubmConv : public torch::autograd::Function<SubmConv> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& neighbor,
                            const at::Tensor& weight) {
    context->save_for_backward({x, neighbor, weight});
    return panel_product(x, neighbor, false, weight);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &neighbor = saved[1], &weight = saved[2];
    const at::Tensor grad = grads[0].contiguous();
    at::Tensor grad_x, grad_weight;
    if (context->needs_input_grad(0)) {
      grad_x = panel_product(grad, neighbor, true, transposed_weight(weight, neighbor.size(1)));
    }
    if (context->needs_input_grad(2)) {
      grad_weight = at::zeros_like(weight);
      for_each_panel(x, neighbor, false, [&](int64_t begin, const at::Tensor& panel) {
        grad_weight.addmm_(grad.slice(0, begin, begin + panel.size(0)).t(), panel);
      });
    }
    return {grad_x, {}, grad_weight};
  }
};

}  // namespace

at::Tensor subm_conv(const at::Tensor& x_NC, const at::Tensor& neighbor_NV, const at::Tensor& weight, const at::Tensor& bias) {
  check(x_NC.dim() == 2 && neighbor_NV.dim() == 2 && x_NC.size(0) == neighbor_NV.size(0) &&
            weight.size(1) == neighbor_NV.size(1) * x_NC.size(1),
        "subm_conv", "shapes do not fit: got x ", to_text(x_NC.sizes().vec()), ", neighbor ",
        to_text(neighbor_NV.sizes().vec()), ", weight ", to_text(weight.sizes().vec()));
  const at::Tensor y = SubmConv::apply(x_NC.contiguous(), neighbor_NV, weight.contiguous());
  return bias.defined() ? y + bias : y;
}

}  // namespace switchyard
