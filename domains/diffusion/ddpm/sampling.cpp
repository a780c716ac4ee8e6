#include "domains/diffusion/ddpm/sampling.h"

#include <cmath>

namespace switchyard {
namespace {

/// Where a walk stands: step i of the process.
struct Place {
  int64_t i;
  at::Tensor x, t_B;
  ReverseStep p;
};
using NextState = std::function<at::Tensor(const Place&)>;

double entry(const at::Tensor& table, int64_t i) { return table.const_data_ptr<double>()[i]; }

at::Tensor walk(const DdpmProcess& process, at::Tensor x, const DdpmModel& model, bool clip,
                bool upwards, const NextState& next, const DdpmObserver& observe) {
  if (observe) observe(0, x, {});
  for (int64_t k = 0; k < process.steps(); ++k) {
    const int64_t i = upwards ? k : process.steps() - 1 - k;
    const auto t_B = at::full({x.size(0)}, i, at::kLong);
    const auto p = process.reverse(model(x, i), x, t_B, clip);
    x = next({i, x, t_B, p});
    if (observe) observe(k + 1, x, p.x0);
  }
  return x;
}

/// x0 with the power `signal`, and of the noise what is left beside `drawn`.
at::Tensor mixed(const DdpmProcess& process, const Place& at, double signal, double drawn) {
  const auto eps = process.eps_from_x0(at.x, at.p.x0, at.t_B);
  return std::sqrt(signal) * at.p.x0 + std::sqrt(std::max(0.0, 1 - signal - drawn)) * eps;
}

}  // namespace

at::Tensor ancestral(const DdpmProcess& process, at::Tensor x, const DdpmModel& model,
                     const DdpmNoise& noise, bool clip, const DdpmObserver& observe) {
  const auto next = [&](const Place& at) {
    if (at.i == 0) return at.p.mean;
    return at.p.mean + (.5 * at.p.log_variance).exp() * noise(process.steps() - 1 - at.i);
  };
  return walk(process, x, model, clip, /*upwards=*/false, next, observe);
}

at::Tensor ddim(const DdpmProcess& process, at::Tensor x, const DdpmModel& model,
                const DdpmNoise& noise, double eta, bool clip, const DdpmObserver& observe) {
  const DdpmTables& tables = process.tables();
  const auto next = [&](const Place& at) {
    const double here = entry(tables.alphas_cumprod, at.i),
                 there = entry(tables.alphas_cumprod_prev, at.i);
    const double variance = eta * eta * (1 - there) / (1 - here) * (1 - here / there);
    const auto mean = mixed(process, at, there, variance);
    if (at.i == 0 || eta == 0) return mean;
    return mean + std::sqrt(variance) * noise(process.steps() - 1 - at.i);
  };
  return walk(process, x, model, clip, /*upwards=*/false, next, observe);
}

at::Tensor ddim_reverse(const DdpmProcess& process, at::Tensor x, const DdpmModel& model, bool clip,
                        const DdpmObserver& observe) {
  const auto next = [&](const Place& at) {
    return mixed(process, at, entry(process.tables().alphas_cumprod_next, at.i), 0);
  };
  return walk(process, x, model, clip, /*upwards=*/true, next, observe);
}

}  // namespace switchyard
