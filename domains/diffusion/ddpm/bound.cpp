#include "domains/diffusion/ddpm/bound.h"

#include <ATen/core/grad_mode.h>

namespace switchyard {
namespace {

at::Tensor all_at(int64_t step, const at::Tensor& x0) {
  return at::full({x0.size(0)}, step, at::kLong);
}

at::Tensor mean_square(const at::Tensor& x) { return x.square().flatten(1).mean(1); }

}  // namespace

DdpmBound ddpm_bound(const DdpmProcess& process, const DdpmModel& model, const at::Tensor& x0,
                     const at::Tensor& noise, bool clip) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> vb, x0_mse, mse;
  for (int64_t k = 0; k < process.steps(); ++k) {
    const int64_t i = process.steps() - 1 - k;
    const auto t = all_at(i, x0), x_t = process.noisy(x0, noise[k], t);
    const auto p = process.reverse(model(x_t, i), x_t, t, clip);
    vb.push_back(variational_term(process, p, x0, x_t, t));
    x0_mse.push_back(mean_square(p.x0 - x0));
    mse.push_back(mean_square(process.eps_from_x0(x_t, p.x0, t) - noise[k]));
  }
  const auto zero = at::zeros({1, 1, 1, 1}, x0.options());
  const auto prior = gaussian_kl_bits(process.forward(x0, all_at(process.steps() - 1, x0)),
                                      {zero, zero + 1, zero});
  const auto terms = at::stack(vb, 1);
  return {terms, at::stack(x0_mse, 1), at::stack(mse, 1), prior, terms.sum(1) + prior};
}

}  // namespace switchyard
