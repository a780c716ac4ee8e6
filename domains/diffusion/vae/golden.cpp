#include "domains/diffusion/vae/golden.h"

#include "domains/diffusion/golden_parts.h"
#include "domains/diffusion/vae/autoencoder_kl.h"
#include "domains/diffusion/vae/loss.h"

namespace switchyard::diffusion_golden {
namespace {

int64_t whole(const Json& config, const char* key) { return config.at(key).get<int64_t>(); }

VaeNorm norm_of(const Json& config) {
  return {whole(config, "groups"), config.at("eps").get<double>()};
}

LogvarRange logvar_range(const Json& config) {
  return {config.at("logvar_min").get<double>(), config.at("logvar_max").get<double>()};
}

VaeParams vae_params(const Json& config) {
  VaeParams p;
  p.in_channels = config.value("in_channels", p.in_channels);
  p.out_channels = config.value("out_channels", p.out_channels);
  p.latent_channels = whole(config, "latent_channels");
  p.block_out_channels = integers_at(config, "block_out_channels", "config");
  p.layers_per_block = whole(config, "layers_per_block");
  p.norm_num_groups = whole(config, "groups");
  p.norm_eps = config.at("eps").get<double>();
  p.use_quant_conv = config.value("use_quant_conv", p.use_quant_conv);
  p.mid_block_attention = config.value("mid_block_attention", p.mid_block_attention);
  p.scaling_factor = config.value("scaling_factor", p.scaling_factor);
  return p;
}

template <class M, class... Args>
void run_built(const GoldenCase& c, GoldenResult& result, Args&&... args) {
  M module(std::forward<Args>(args)...);
  run_with_gradients(c, result, module, "y", {"x"},
                     [&](const auto& x) { return module.forward(x[0]); });
}

void run_resnet(const GoldenCase& c, GoldenResult& result) {
  run_built<VaeResnet>(c, result, whole(c.config, "in_channels"), whole(c.config, "out_channels"),
                       norm_of(c.config));
}

void run_attention(const GoldenCase& c, GoldenResult& result) {
  run_built<VaeAttention>(c, result, whole(c.config, "channels"), norm_of(c.config),
                          whole(c.config, "heads"));
}

void run_mid_block(const GoldenCase& c, GoldenResult& result) {
  run_built<VaeMidBlock>(c, result, whole(c.config, "channels"), norm_of(c.config),
                         c.config.value("attention", true));
}

void run_downsample(const GoldenCase& c, GoldenResult& result) {
  run_built<VaeDownsample>(c, result, whole(c.config, "channels"));
}

void run_upsample(const GoldenCase& c, GoldenResult& result) {
  run_built<VaeUpsample>(c, result, whole(c.config, "channels"));
}

template <class Block>
void run_level(const GoldenCase& c, GoldenResult& result, const char* resample) {
  run_built<Block>(c, result, whole(c.config, "in_channels"), whole(c.config, "out_channels"),
                   whole(c.config, "layers"), norm_of(c.config), c.config.at(resample).get<bool>());
}

void run_conv1x1(const GoldenCase& c, GoldenResult& result) {
  run_built<Conv2d>(c, result, whole(c.config, "in_channels"), whole(c.config, "out_channels"),
                    whole(c.config, "kernel"));
}

void run_module(const GoldenCase& c, GoldenResult& result) {
  static const std::map<std::string, GoldenRun> modules = {
      {"resnet_block", run_resnet},
      {"attention_block", run_attention},
      {"mid_block", run_mid_block},
      {"downsample", run_downsample},
      {"upsample", run_upsample},
      {"down_block",
       [](const auto& c, auto& result) { run_level<VaeDownBlock>(c, result, "downsample"); }},
      {"up_block",
       [](const auto& c, auto& result) { run_level<VaeUpBlock>(c, result, "upsample"); }},
      {"encoder",
       [](const auto& c, auto& r) { run_built<VaeEncoder>(c, r, vae_params(c.config)); }},
      {"decoder",
       [](const auto& c, auto& r) { run_built<VaeDecoder>(c, r, vae_params(c.config)); }},
      {"conv1x1", run_conv1x1}};
  const auto name = c.config.at("module").get<std::string>();
  const auto found = modules.find(name);
  check(found != modules.end(), c.name, "unknown module: got '", name, "'");
  found->second(c, result);
}

/// Gradient in the moments of a scalar of their posterior.
template <class Scalar>
at::Tensor gradient(const GoldenCase& c, Scalar&& scalar) {
  const auto moments = c.input("moments").requires_grad_(true);
  scalar(VaePosterior(moments, logvar_range(c.config))).backward();
  return moments.grad();
}

void run_posterior(const GoldenCase& c, GoldenResult& result) {
  const LogvarRange range = logvar_range(c.config);
  const VaePosterior posterior(c.input("moments"), range), other(c.input("other_moments"), range);
  const auto noise = c.input("noise"), sample = posterior.sample(noise);
  result.compare("outputs/mode", posterior.mode());
  result.compare("outputs/logvar_clamped", posterior.logvar());
  result.compare("outputs/var", posterior.var());
  result.compare("outputs/std", posterior.std());
  result.compare("outputs/sample", sample);
  result.compare("outputs/scaled_latent", sample * c.config.at("scaling_factor").get<double>());
  result.compare("outputs/kl", posterior.kl());
  result.compare("outputs/kl_to_other", posterior.kl(other));
  result.compare("outputs/nll_of_other", other.nll(c.input("nll_sample")));
  result.compare("grads_inputs/moments.sample", gradient(c, [&](const VaePosterior& p) {
                   return pull(c, p.sample(noise), "cotangent_sample");
                 }));
  result.compare("grads_inputs/moments.kl",
                 gradient(c, [](const VaePosterior& p) { return p.kl().sum(); }));
}

void run_full(const GoldenCase& c, GoldenResult& result) {
  AutoencoderKl vae(vae_params(c.config));
  c.load_weights(vae);
  const auto x = c.input("x").requires_grad_(true);
  const auto moments = vae.encode(x);
  const VaePosterior posterior(moments, logvar_range(c.config));
  const auto sample = posterior.sample(c.input("noise")), reconstruction = vae.decode(sample);
  result.compare("outputs/moments", moments);
  result.compare("outputs/moments_of_flipped_x", vae.encode(x.flip(3)));
  result.compare("outputs/mean", posterior.mode());
  result.compare("outputs/logvar_clamped", posterior.logvar());
  result.compare("outputs/kl", posterior.kl());
  result.compare("outputs/sample", sample);
  result.compare("outputs/scaled_latent", sample * vae.params().scaling_factor);
  result.compare("outputs/reconstruction", reconstruction);
  result.compare("outputs/decode_mode", vae.decode(posterior.mode()));
  const VaeLossParams params = {c.config.at("reconstruction").get<std::string>(),
                                c.config.at("kl_weight").get<double>()};
  const VaeLoss loss = vae_loss(params, reconstruction, x, posterior);
  result.compare("outputs/loss.rec", one(loss.reconstruction));
  result.compare("outputs/loss.kl", one(loss.kl));
  result.compare("outputs/loss.total", one(loss.total));
  loss.total.backward();
  result.compare("grads_inputs/x", x.grad());
  result.compare_module(vae);
}

}  // namespace

void register_vae_kinds() {
  register_golden_kind("diffusion", "vae_module", run_module);
  register_golden_kind("diffusion", "vae_posterior", run_posterior);
  register_golden_kind("diffusion", "vae_full", run_full);
}

}  // namespace switchyard::diffusion_golden
