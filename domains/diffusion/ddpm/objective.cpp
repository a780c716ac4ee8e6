#include "domains/diffusion/ddpm/objective.h"

#include "domains/diffusion/ddpm/sampler.h"

namespace switchyard {
namespace {

template <class E>
using Names = std::vector<std::pair<std::string, E>>;

const Names<DdpmPredict> kPredict = {{"eps", DdpmPredict::Eps}, {"x0", DdpmPredict::X0}};
const Names<DdpmVariance> kVariance = {{"fixed_small", DdpmVariance::FixedSmall},
                                       {"fixed_large", DdpmVariance::FixedLarge},
                                       {"learned_range", DdpmVariance::LearnedRange}};
const Names<DdpmLossKind> kLoss = {{"mse", DdpmLossKind::Mse},
                                   {"rescaled_mse", DdpmLossKind::RescaledMse},
                                   {"rescaled_kl", DdpmLossKind::RescaledKl}};

template <class E>
Choices choices(const Names<E>& names) {
  Choices out;
  for (const auto& [name, value] : names) out.names.push_back(name);
  return out;
}

template <class E>
E named(const Names<E>& names, const std::string& name) {
  check_name("ddpm", "choice", name, choices(names).names);
  return std::find_if(names.begin(), names.end(),
                      [&](const auto& entry) { return entry.first == name; })
      ->second;
}

}  // namespace

void DdpmParams::declare(Fields<DdpmParams>& f) {
  f.add("schedule", &DdpmParams::schedule, "of the betas", Choices{{"linear", "cosine"}});
  f.add("steps", &DdpmParams::steps, "of the process", at_least(1));
  f.add("predict", &DdpmParams::predict, "what the network predicts", choices(kPredict));
  f.add("variance", &DdpmParams::variance, "of a reverse step", choices(kVariance));
  f.add("loss", &DdpmParams::loss, "mse adds the variational term of a learned variance",
        choices(kLoss));
}

DdpmProcess ddpm_process(const DdpmParams& params, const std::string& respacing) {
  return {params.schedule, params.steps, respacing, named(kPredict, params.predict),
          named(kVariance, params.variance)};
}

DdpmObjective::DdpmObjective(const DdpmParams& params)
    : params_(params), process_(ddpm_process(params, "")) {}

at::Tensor DdpmObjective::error(const Denoiser& denoiser, const at::Tensor& z,
                                const at::Tensor& noise, const at::Tensor& u_B) const {
  const auto t_B = (u_B.cpu() * params_.steps).floor().clamp(0, params_.steps - 1).to(at::kLong);
  const auto x_t = process_.noisy(z, noise, t_B);
  const auto out = denoiser(x_t, process_.times(t_B, z));
  return ddpm_loss(process_, named(kLoss, params_.loss), out, z, noise, x_t, t_B).total;
}

int64_t DdpmObjective::out_channels(int64_t in) const {
  return process_.learns_variance() ? 2 * in : in;
}

std::unique_ptr<Sampler> DdpmObjective::make_sampler(const ConfigNode& node,
                                                     const std::string& what) const {
  return ddpm_samplers().make(node, what, params_);
}

}  // namespace switchyard
