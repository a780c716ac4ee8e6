#include "domains/diffusion/ddpm/sampler.h"

#include <ATen/core/grad_mode.h>

#include "domains/diffusion/ddpm/respacing.h"

namespace switchyard {
namespace {

template <class S>
void declare_walk(Fields<S>& f) {
  f.add("steps", &S::steps, "to keep: a count, [counts of equal sections] or ddimN: every k-th");
  f.add("clip", &S::clip, "the predicted image into [-1, 1] at every step");
  GuidanceParams::declare_guidance(f);
}

std::unique_ptr<Sampler> make_ancestral(const AncestralParams& p, const DdpmParams& objective) {
  return std::make_unique<DdpmSampler>(
      p, ddpm_process(objective, respacing_text(p.steps, "sampler.steps")),
      [clip = p.clip](const DdpmProcess& process, const at::Tensor& x, const DdpmModel& model,
                      const DdpmNoise& noise, const DdpmObserver& observe) {
        return ancestral(process, x, model, noise, clip, observe);
      });
}

std::unique_ptr<Sampler> make_ddim(const DdimParams& p, const DdpmParams& objective) {
  return std::make_unique<DdpmSampler>(
      p, ddpm_process(objective, respacing_text(p.steps, "sampler.steps")),
      [clip = p.clip, eta = p.eta](const DdpmProcess& process, const at::Tensor& x,
                                   const DdpmModel& model, const DdpmNoise& noise,
                                   const DdpmObserver& observe) {
        return ddim(process, x, model, noise, eta, clip, observe);
      });
}

}  // namespace

void AncestralParams::declare(Fields<AncestralParams>& f) { declare_walk(f); }

void DdimParams::declare(Fields<DdimParams>& f) {
  declare_walk(f);
  f.add("eta", &DdimParams::eta, "noise of every step; 0: none, 1: as much as ancestral",
        between(0, 1));
}

DdpmSampler::DdpmSampler(const GuidanceParams& guidance, DdpmProcess process, Method method)
    : guidance_(guidance), process_(std::move(process)), method_(std::move(method)) {}

at::Tensor DdpmSampler::sample(const ConditionalNetwork& network, const at::Tensor& start_BCSS,
                               const std::vector<RandomStream>& images,
                               const SamplerObserver& observe) const {
  const at::NoGradGuard no_grad;
  check_streams(start_BCSS, images);
  const auto model = [&](const at::Tensor& x, int64_t i) {
    return guided_prediction(network, x, process_.time(i), guidance_);
  };
  const auto noise = [&](int64_t k) {
    return image_noise(images, start_BCSS.sizes().slice(1), start_BCSS.options(), k + 1);
  };
  return method_(process_, start_BCSS, model, noise,
                 [&](int64_t done, const at::Tensor& x, const at::Tensor&) {
                   const int64_t left = process_.steps() - done;
                   if (observe) observe(done, left > 0 ? process_.time(left - 1) : 0, x);
                 });
}

Registry<Sampler, const DdpmParams&>& ddpm_samplers() {
  static Registry<Sampler, const DdpmParams&> registry = [] {
    Registry<Sampler, const DdpmParams&> all("sampler of ddpm");
    all.add<AncestralParams>("ancestral", "draws every step from the reverse process",
                             make_ancestral);
    all.add<DdimParams>("ddim", "few steps, deterministic where eta is 0", make_ddim);
    return all;
  }();
  return registry;
}

}  // namespace switchyard
