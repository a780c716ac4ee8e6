#pragma once

#include "domains/diffusion/ddpm/loss.h"
#include "domains/diffusion/objective.h"

namespace switchyard {

/// The defaults are DiT's.
struct DdpmParams {
  std::string schedule = "linear", predict = "eps", variance = "learned_range", loss = "mse";
  int64_t steps = 1000;
  static void declare(Fields<DdpmParams>& f);
};
DdpmProcess ddpm_process(const DdpmParams& params, const std::string& respacing);

/// Denoising diffusion over `steps` discrete steps; a quantile u is step floor(u steps).
class DdpmObjective : public Objective {
 public:
  /// Errors: those of ddpm_betas().
  explicit DdpmObjective(const DdpmParams& params);

  at::Tensor error(const Denoiser& denoiser, const at::Tensor& z, const at::Tensor& noise,
                   const at::Tensor& u_B) const override;
  at::Tensor error_at(const Denoiser& denoiser, const at::Tensor& z, const at::Tensor& noise,
                      const at::Tensor& u_B) const override {
    return error(denoiser, z, noise, u_B);
  }
  std::string name() const override { return "ddpm"; }
  int64_t out_channels(int64_t in) const override;
  std::unique_ptr<Sampler> make_sampler(const ConfigNode& node,
                                        const std::string& what) const override;

 private:
  DdpmParams params_;
  DdpmProcess process_;
};

}  // namespace switchyard
