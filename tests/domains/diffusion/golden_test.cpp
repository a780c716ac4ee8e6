#include "domains/diffusion/golden.h"

#include "tests/support/golden.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string stored(const std::string& set) { return (data_dir() / "golden" / set).string(); }

}  // namespace

TEST_CASE("DiT parts and mixtures reproduce the published numbers", "[diffusion][golden]") {
  register_diffusion_golden();
  const std::string kind = GENERATE("module", "loss", "schedule", "optimizer", "moe_layer");
  check_golden(stored("promoe"), {kind});
}

TEST_CASE("the whole set promoe agrees where it is given", "[diffusion][golden]") {
  const char* folder = variable_or_warn("SWITCHYARD_GOLDEN");
  if (!folder) return;
  register_diffusion_golden();
  const std::string kind =
      GENERATE("module", "loss", "schedule", "optimizer", "moe_layer", "model", "flow");
  check_golden(std::string(folder) + "/promoe", {kind});
}

TEST_CASE("DDPM, flow samplers and averages reproduce the published numbers",
          "[diffusion][golden]") {
  register_diffusion_golden();
  const std::string kind = GENERATE("ddpm_*", "flow_*", "ema*", "optimizer");
  check_golden(stored("diffusion"), {kind});
  if (const char* folder = variable_or_warn("SWITCHYARD_GOLDEN"))
    check_golden(std::string(folder) + "/diffusion", {kind});
}

TEST_CASE("one wrong value fails a case of every kind of diffusion", "[diffusion][golden]") {
  register_diffusion_golden();
  const std::string name =
      GENERATE("ddpm_loss_rescaled_kl_learned", "ddpm_loss_net",
               "ddpm_p_mean_variance_learned_range", "ddpm_q", "ddpm_sample_ancestral_fixed_large",
               "ddpm_schedule_cosine", "ddpm_vlb", "ema_constant", "ema_diffusers",
               "flow_euler_net_cfg", "flow_grid", "optim_adamw_decay_warmup");
  check_notices_faults(data_dir() / "golden/diffusion" / (name + ".safetensors"));
}
