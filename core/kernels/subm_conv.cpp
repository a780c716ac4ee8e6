#include "core/kernels/subm_conv.h"

#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/base/text.h"
#include "core/kernels/device_call.h"

namespace switchyard {
namespace {

constexpr int64_t kPanelBytes = 1 << 20;

int64_t block_rows(const at::Tensor& x_NC, int64_t offsets) {
  const int64_t row = std::max<int64_t>(1, offsets * x_NC.size(1) * x_NC.element_size());
  const int64_t budget = x_NC.is_cuda() ? 256 * kPanelBytes : kPanelBytes;
  return std::max<int64_t>(64, budget / row);
}

/// Calls use(begin, panel [rows, K*C]) block by block.
template <class Use>
void for_each_panel(const at::Tensor& x_NC, const at::Tensor& neighbor_NK, Use&& use) {
  const int64_t n = neighbor_NK.size(0), offsets = neighbor_NK.size(1);
  const int64_t step = std::min(block_rows(x_NC, offsets), std::max<int64_t>(n, 1));
  const auto storage = at::empty({step, offsets * x_NC.size(1)}, x_NC.options());
  for (int64_t begin = 0; begin < n; begin += step) {
    const auto panel = storage.narrow(0, 0, std::min(step, n - begin));
    kernels::launch(kernels::SubmPanel{x_NC.const_data_ptr(),
                                       neighbor_NK.const_data_ptr<int32_t>() + begin * offsets,
                                       panel.size(0) * offsets, x_NC.size(1) * x_NC.element_size(),
                                       panel.data_ptr()},
                    x_NC.device(), kernels::subm_panel_cpu, kernels::subm_panel_cuda);
    use(begin, panel);
  }
}

at::Tensor gather_mm(const at::Tensor& x_NC, const at::Tensor& weight_OJ,
                     const at::Tensor& neighbor_NK) {
  auto y_NO = at::empty({x_NC.size(0), weight_OJ.size(0)}, x_NC.options());
  for_each_panel(x_NC, neighbor_NK, [&](int64_t begin, const at::Tensor& panel_BJ) {
    auto out = y_NO.narrow(0, begin, panel_BJ.size(0));
    at::mm_out(out, panel_BJ, weight_OJ.t());
  });
  return y_NO;
}

at::Tensor weight_gradient(const at::Tensor& x_NC, const at::Tensor& dy_NO,
                           const at::Tensor& neighbor_NK) {
  // Half types are summed over the panels in float.
  const auto type = x_NC.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  auto dw_OJ =
      at::zeros({dy_NO.size(1), neighbor_NK.size(1) * x_NC.size(1)}, x_NC.options().dtype(type));
  for_each_panel(x_NC, neighbor_NK, [&](int64_t begin, const at::Tensor& panel_BJ) {
    const auto dy_BO = dy_NO.narrow(0, begin, panel_BJ.size(0));
    if (type == x_NC.scalar_type())
      dw_OJ.addmm_(dy_BO.t(), panel_BJ);
    else
      dw_OJ.add_(at::mm(dy_BO.t(), panel_BJ));
  });
  return dw_OJ.to(x_NC.scalar_type());
}

/// [O, K, C] -> [C, K reversed, O] as a matrix.
at::Tensor reversed(const at::Tensor& weight_OKC) {
  return weight_OKC.flip(1).permute({2, 1, 0}).reshape({weight_OKC.size(2), -1});
}

class SubmConvFunction : public torch::autograd::Function<SubmConvFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x_NC,
                            const at::Tensor& weight, const at::Tensor& neighbor_NK) {
    ctx->save_for_backward({x_NC, weight, neighbor_NK});
    return gather_mm(x_NC, weight.reshape({weight.size(0), -1}), neighbor_NK);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &neighbor = saved[2];
    const auto dy = grads[0].contiguous();
    at::Tensor dx, dw;
    if (ctx->needs_input_grad(0)) {
      dx =
          gather_mm(dy, reversed(weight.reshape({weight.size(0), neighbor.size(1), -1})), neighbor);
    }
    if (ctx->needs_input_grad(1)) dw = weight_gradient(x, dy, neighbor).view(weight.sizes());
    return {dx, dw, {}};
  }
};

void check_fit(const at::Tensor& x_NC, const at::Tensor& weight, const at::Tensor& neighbor_NK) {
  check(x_NC.dim() == 2 && weight.dim() == 5 && weight.size(4) == x_NC.size(1), "subm_conv",
        "shapes: got x ", to_text(x_NC.sizes().vec()), " and weight ",
        to_text(weight.sizes().vec()), ", expected [N, C] and [O, kx, ky, kz, C]");
  const int64_t offsets = weight.size(1) * weight.size(2) * weight.size(3);
  check(neighbor_NK.dim() == 2 && neighbor_NK.size(0) == x_NC.size(0) &&
            neighbor_NK.size(1) == offsets && neighbor_NK.scalar_type() == at::kInt,
        "subm_conv", "neighbour map: got ", to_text(neighbor_NK.sizes().vec()), ", expected i32 [",
        x_NC.size(0), ", ", offsets, "]");
  check(x_NC.scalar_type() == weight.scalar_type(), "subm_conv", "x and weight differ in type");
}

}  // namespace

at::Tensor subm_conv(const at::Tensor& x_NC, const at::Tensor& weight,
                     const at::Tensor& neighbor_NK) {
  check_fit(x_NC, weight, neighbor_NK);
  return SubmConvFunction::apply(x_NC.contiguous(), weight, neighbor_NK.contiguous());
}

at::Tensor subm_conv_reference(const at::Tensor& x_NC, const at::Tensor& weight,
                               const at::Tensor& neighbor_NK) {
  check_fit(x_NC, weight, neighbor_NK);
  const auto weight_OKC = weight.reshape({weight.size(0), neighbor_NK.size(1), -1});
  auto y_NO = at::zeros({x_NC.size(0), weight.size(0)}, x_NC.options());
  for (int64_t k = 0; k < neighbor_NK.size(1); ++k) {
    const auto neighbor_N = neighbor_NK.select(1, k);
    const auto here = (neighbor_N >= 0).nonzero().squeeze(1);
    const auto there = neighbor_N.index_select(0, here).to(at::kLong);
    y_NO = y_NO.index_add(0, here, x_NC.index_select(0, there).mm(weight_OKC.select(1, k).t()));
  }
  return y_NO;
}

}  // namespace switchyard
