#include "domains/diffusion/ddpm/golden.h"

#include "domains/diffusion/ddpm/bound.h"
#include "domains/diffusion/ddpm/respacing.h"
#include "domains/diffusion/golden_tiny_net.h"
#include "domains/diffusion/guidance.h"

namespace switchyard::diffusion_golden {
namespace {

std::string schedule_name(const Json& config) {
  const auto name = config.at("schedule").get<std::string>();
  return name == "squaredcos_cap_v2" ? "cosine" : name;
}

int64_t steps_of(const Json& config) { return config.at("diffusion_steps").get<int64_t>(); }

DdpmVariance variance_of(const Json& config) {
  if (config.value("learn_sigma", false)) return DdpmVariance::LearnedRange;
  return config.value("sigma_small", false) ? DdpmVariance::FixedSmall : DdpmVariance::FixedLarge;
}

DdpmLossKind loss_of(const Json& config) {
  const auto name = config.at("loss_type").get<std::string>();
  check_name("config.loss_type", "loss", name, {"MSE", "RESCALED_MSE", "RESCALED_KL"});
  return name == "MSE"            ? DdpmLossKind::Mse
         : name == "RESCALED_MSE" ? DdpmLossKind::RescaledMse
                                  : DdpmLossKind::RescaledKl;
}

std::vector<std::pair<std::string, at::Tensor>> named_tables(const DdpmTables& t) {
  return {{"betas", t.betas},
          {"log_betas", t.log_betas},
          {"alphas_cumprod", t.alphas_cumprod},
          {"alphas_cumprod_prev", t.alphas_cumprod_prev},
          {"alphas_cumprod_next", t.alphas_cumprod_next},
          {"sqrt_alphas_cumprod", t.sqrt_alphas_cumprod},
          {"sqrt_one_minus_alphas_cumprod", t.sqrt_one_minus_alphas_cumprod},
          {"log_one_minus_alphas_cumprod", t.log_one_minus_alphas_cumprod},
          {"sqrt_recip_alphas_cumprod", t.sqrt_recip_alphas_cumprod},
          {"sqrt_recipm1_alphas_cumprod", t.sqrt_recipm1_alphas_cumprod},
          {"posterior_mean_coef1", t.posterior_mean_coef1},
          {"posterior_mean_coef2", t.posterior_mean_coef2},
          {"posterior_variance", t.posterior_variance},
          {"posterior_log_variance_clipped", t.posterior_log_variance_clipped}};
}

/// Those that the file holds below `prefix`.
void compare_tables(const GoldenCase& c, GoldenResult& result, const std::string& prefix,
                    const DdpmTables& tables) {
  for (const auto& [name, table] : named_tables(tables))
    if (c.has(prefix + name)) result.compare(prefix + name, table);
}

void run_schedule(const GoldenCase& c, GoldenResult& result) {
  const auto betas = ddpm_betas(schedule_name(c.config), steps_of(c.config));
  compare_tables(c, result, "outputs/", DdpmTables(betas));
}

bool refused(const Json& config) {
  try {
    kept_steps(steps_of(config), config.at("respacing").get<std::string>());
  } catch (const Error&) {
    return true;
  }
  return false;
}

void run_respace(const GoldenCase& c, GoldenResult& result) {
  for (const Json& form : c.config.at("cases")) {
    Json config = form;
    config["schedule"] = c.config.at("schedule");
    const std::string prefix = cat("outputs/", form.at("index").get<int64_t>(), ".");
    const auto respacing = form.at("respacing").get<std::string>();
    result.compare(prefix + "timestep_map",
                   at::tensor(kept_steps(steps_of(form), respacing), at::kLong));
    if (form.at("tables").get<bool>())
      compare_tables(c, result, prefix, ddpm_process(config).tables());
  }
  for (const Json& form : c.config.at("invalid"))
    check(refused(form), c.name, "accepts an invalid respacing: got ", form.dump());
}

at::Tensor flat(const at::Tensor& per_image) { return per_image.view({-1}); }

void run_q(const GoldenCase& c, GoldenResult& result) {
  const auto process = ddpm_process(c.config);
  const auto t = c.input("t"), x0 = c.input("x0");
  const auto forward = process.forward(x0, t);
  const auto x_t = process.noisy(x0, c.input("noise"), t);
  const auto posterior = process.posterior(x0, x_t, t);
  result.compare("outputs/x_t", x_t);
  result.compare("outputs/q_mean", forward.mean);
  result.compare("outputs/q_variance", flat(forward.variance));
  result.compare("outputs/q_log_variance", flat(forward.log_variance));
  result.compare("outputs/posterior_mean", posterior.mean);
  result.compare("outputs/posterior_variance", flat(posterior.variance));
  result.compare("outputs/posterior_log_variance_clipped", flat(posterior.log_variance));
  result.compare("outputs/pred_x0_from_eps", process.x0_from_eps(x_t, c.input("eps"), t));
  result.compare("outputs/pred_eps_from_x0", process.eps_from_x0(x_t, x0, t));
}

void run_reverse(const GoldenCase& c, GoldenResult& result) {
  const auto x = c.input("x"), t = c.input("t"), out = c.input("model_output");
  for (const std::string predict : {"eps", "x0"}) {
    const auto process =
        ddpm_process(c.config, predict == "x0" ? DdpmPredict::X0 : DdpmPredict::Eps);
    for (const bool clip : {false, true}) {
      const auto step = process.reverse(out, x, t, clip);
      const std::string prefix = cat("outputs/", predict, "_clip", clip ? 1 : 0, ".");
      result.compare(prefix + "mean", step.mean);
      result.compare(prefix + "pred_x0", step.x0);
      result.compare("outputs/variance", step.variance.expand_as(x));
      result.compare("outputs/log_variance", step.log_variance.expand_as(x));
    }
  }
}

void compare_loss(const GoldenCase& c, GoldenResult& result, const DdpmLoss& loss) {
  result.compare("outputs/loss.per_sample", loss.total);
  result.compare("outputs/loss.mean", loss.total.mean().view({1}));
  if (loss.mse.defined()) result.compare("outputs/mse", loss.mse);
  if (c.has("outputs/vb")) result.compare("outputs/vb", loss.vb);
}

void run_loss(const GoldenCase& c, GoldenResult& result) {
  const auto process = ddpm_process(c.config);
  const auto x0 = c.input("x0"), noise = c.input("noise"), t = c.input("t");
  const auto x_t = process.noisy(x0, noise, t);
  result.compare("outputs/x_t", x_t);
  const auto pull = [&](const std::string& name, const auto& value) {
    const auto out = c.input("model_output").requires_grad_(true);
    const auto loss = ddpm_loss(process, loss_of(c.config), out, x0, noise, x_t, t);
    value(loss).mean().backward();
    result.compare(name, out.grad());
    return loss;
  };
  compare_loss(c, result, pull("grads_inputs/model_output", [](const auto& l) { return l.total; }));
  if (c.has("grads_inputs/model_output.vb"))
    pull("grads_inputs/model_output.vb", [](const auto& l) { return l.vb; });
}

void run_loss_net(const GoldenCase& c, GoldenResult& result) {
  const auto process = ddpm_process(c.config);
  const TinyNet net(c);
  const auto x0 = c.input("x0"), noise = c.input("noise"), t = c.input("t");
  const auto x_t = process.noisy(x0, noise, t);
  const auto times = at::tensor(process.timesteps(), at::kLong).index_select(0, t).to(x0.options());
  const auto out = net.forward(x_t, times, c.input("y"));
  const auto loss = ddpm_loss(process, loss_of(c.config), out, x0, noise, x_t, t);
  loss.total.mean().backward();
  compare_loss(c, result, loss);
  result.compare_module(net);
}

void run_vlb(const GoldenCase& c, GoldenResult& result) {
  const auto process = ddpm_process(c.config);
  const TinyNet net(c);
  const auto model = [&](const at::Tensor& x, int64_t i) {
    const auto t = static_cast<double>(process.timesteps()[static_cast<size_t>(i)]);
    return net.forward(x, at::full({x.size(0)}, t, x.options()), c.input("y"));
  };
  const auto bound = ddpm_bound(process, model, c.input("x0"), c.input("noise"),
                                c.config.at("clip_denoised").get<bool>());
  result.compare("outputs/vb", bound.vb);
  result.compare("outputs/x0_mse", bound.x0_mse);
  result.compare("outputs/mse", bound.mse);
  result.compare("outputs/prior_bpd", bound.prior_bpd);
  result.compare("outputs/total_bpd", bound.total_bpd);
}

void run_cfg(const GoldenCase& c, GoldenResult& result) {
  const auto out = c.input("model_output");
  for (const auto& rule : c.config.at("variants").get<std::vector<std::string>>()) {
    const int64_t channels = guided_channels(rule, c.config.at("channels").get<int64_t>(), out);
    for (const Json& scale : c.config.at("scales"))
      result.compare(cat("outputs/", rule, ".s", scale.dump()),
                     guide_halves(out, channels, scale.get<double>()));
  }
}

}  // namespace

DdpmProcess ddpm_process(const Json& config, DdpmPredict predict) {
  return {schedule_name(config), steps_of(config), config.value("respacing", ""), predict,
          variance_of(config)};
}

DdpmProcess ddpm_process(const Json& config) {
  const bool x0 = config.value("predict_xstart", false);
  return ddpm_process(config, x0 ? DdpmPredict::X0 : DdpmPredict::Eps);
}

void register_ddpm_kinds() {
  register_golden_kind("diffusion", "ddpm_schedule", run_schedule);
  register_golden_kind("diffusion", "ddpm_respace", run_respace);
  register_golden_kind("diffusion", "ddpm_q", run_q);
  register_golden_kind("diffusion", "ddpm_p_mean_variance", run_reverse);
  register_golden_kind("diffusion", "ddpm_loss", run_loss);
  register_golden_kind("diffusion", "ddpm_loss_net", run_loss_net);
  register_golden_kind("diffusion", "ddpm_vlb", run_vlb);
  register_golden_kind("diffusion", "ddpm_cfg", run_cfg);
  register_ddpm_sample_kind();
}

}  // namespace switchyard::diffusion_golden
