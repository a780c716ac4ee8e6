// Golden kinds module, loss and schedule of the set promoe.

#include "domains/diffusion/flow.h"
#include "domains/diffusion/golden_parts.h"
#include "routers/losses/routing_contrastive.h"

namespace switchyard::diffusion_golden {
namespace {

DitParams block_params(const Json& config) {
  DitParams p;
  p.hidden_size = config.at("hidden_size").get<int64_t>();
  p.num_heads = config.at("num_heads").get<int64_t>();
  if (!config.at("head_dim").is_null()) p.head_dim = config.at("head_dim").get<int64_t>();
  p.qk_norm = config.at("qk_norm").get<bool>();
  p.mlp_ratio = config.value("mlp_ratio", 4.0);
  return p;
}

void run_attention(const GoldenCase& c, GoldenResult& result) {
  const DitParams p = block_params(c.config);
  DitAttention module(p.hidden_size, p.num_heads, p.head_dim.value_or(p.hidden_size / p.num_heads),
                      p.qk_norm);
  run_with_gradients(c, result, module, "y", {"x"},
                     [&](const auto& x) { return module.forward(x[0]); });
}

void run_final_layer(const GoldenCase& c, GoldenResult& result) {
  DitFinalLayer module(c.config.at("hidden_size").get<int64_t>(),
                       c.config.at("patch_size").get<int64_t>(),
                       c.config.at("out_channels").get<int64_t>());
  run_with_gradients(c, result, module, "y", {"x", "c"},
                     [&](const auto& x) { return module.forward({x[0]}, x[1]); });
}

void run_block(const GoldenCase& c, GoldenResult& result) {
  const DitParams p = block_params(c.config);
  DitBlock module(p, make_dit_mlp(p, "mlp"), "block");
  ForwardContext context;
  run_with_gradients(c, result, module, "y", {"x", "c"},
                     [&](const auto& x) { return module.forward({x[0]}, x[1], context).value(); });
}

void run_timestep(const GoldenCase& c, GoldenResult& result) {
  TimestepEmbedder module(c.config.at("hidden_size").get<int64_t>());
  result.compare("outputs/freq", timestep_features(c.input("t")));
  run_with_gradients(c, result, module, "emb", {},
                     [&](const auto&) { return module.forward(c.input("t")); });
}

void run_label(const GoldenCase& c, GoldenResult& result) {
  LabelEmbedder module(c.config.at("num_classes").get<int64_t>(),
                       c.config.at("hidden_size").get<int64_t>());
  const auto labels = c.input("labels");
  const auto dropped = module.dropped(labels, c.input("force_drop_ids") == 1);
  result.compare("outputs/labels_after_drop", dropped);
  run_with_gradients(c, result, module, "emb", {},
                     [&](const auto&) { return module.forward(dropped); });
  result.compare("outputs/emb_nodrop", module.forward(labels));
}

/// Holds the patch embedding below the name that the whole network gives it.
struct Embedded : Module {
  explicit Embedded(const Json& config)
      : patches(emplace_child<PatchEmbed>("x_embedder", config.at("in_channels").get<int64_t>(),
                                          config.at("patch_size").get<int64_t>(),
                                          config.at("hidden_size").get<int64_t>())) {}
  PatchEmbed& patches;
};

void run_patchify(const GoldenCase& c, GoldenResult& result) {
  Embedded module(c.config);
  run_with_gradients(c, result, module, "tokens", {"x"},
                     [&](const auto& x) { return module.patches.forward(x[0]); });
  result.compare("outputs/image",
                 unpatchify(c.input("head"), c.config.at("patch_size").get<int64_t>()));
}

void run_pos_embed(const GoldenCase& c, GoldenResult& result) {
  for (const auto& [width, grid] :
       c.config.at("grids").get<std::vector<std::pair<int64_t, int64_t>>>())
    result.compare(cat("outputs/D", width, "_G", grid), position_table(width, grid));
  const auto width = c.config.at("rows").at("hidden_size").get<int64_t>(),
             grid = c.config.at("rows").at("grid").get<int64_t>();
  result.compare(cat("outputs/D", width, "_G", grid, "_rows"),
                 position_table(width, grid).index_select(0, c.input("rows")));
}

void run_module(const GoldenCase& c, GoldenResult& result) {
  static const std::map<std::string, GoldenRun> modules = {
      {"attention", run_attention},  {"final_layer", run_final_layer},
      {"dit_block", run_block},      {"timestep_embedder", run_timestep},
      {"label_embedder", run_label}, {"patchify", run_patchify},
      {"pos_embed", run_pos_embed}};
  const std::string name = c.file.metadata("module");
  const auto found = modules.find(name);
  check(found != modules.end(), c.name, "unknown module: got '", name, "'");
  found->second(c, result);
}

/// Means of the embeddings that are assigned to each expert, all one group.
ExpertMeans assigned_means(const at::Tensor& x, const at::Tensor& slots, int64_t experts,
                           bool all_slots) {
  const auto used =
      slots.view({x.size(0), -1}).narrow(1, 0, all_slots ? slots.numel() / x.size(0) : 1);
  const auto use_TE =
      at::zeros({x.size(0), experts}, x.options()).scatter(1, used.to(x.device()), 1.0);
  const auto count = use_TE.sum(0);
  return {(use_TE.t().matmul(x) / count.clamp_min(1).unsqueeze(1)).unsqueeze(0),
          count.unsqueeze(0)};
}

void run_loss(const GoldenCase& c, GoldenResult& result) {
  const auto centers = c.tensor("weights/cluster_centers").requires_grad_(true);
  const bool token_choice = c.file.metadata("module") == "routing_contrastive_tc";
  const std::string input = token_choice ? "embeddings" : "means";
  const auto x = c.input(input).requires_grad_(true);
  ExpertMeans means;
  if (token_choice) {
    means = assigned_means(x, c.input("assignments"), centers.size(0),
                           c.config.at("use_top_k_for_routing_contrastive").get<bool>());
    result.compare("outputs/counts", means.count_GE.detach().squeeze(0).to(at::kLong));
  } else {
    means = {x, at::ones({x.size(0), x.size(1)}, x.options())};
  }
  const auto loss =
      contrast(centers, means, c.config.at("routing_contrastive_temperature").get<double>()) *
      c.config.at("routing_contrastive_lam").get<double>();
  loss.backward();
  result.compare("outputs/loss", one(loss));
  result.compare("grads/cluster_centers", centers.grad());
  result.compare("grads_inputs/" + input, x.grad());
}

std::string short_number(double x) {
  std::string text = cat(x);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

void run_schedule(const GoldenCase& c, GoldenResult& result) {
  const auto normal = c.input("normal_draws"), uniform = c.input("uniform_draws");
  FlowParams p;
  result.compare("outputs/u.logit_normal", logit_normal_u(normal, p));
  for (const Json& form : c.config.at("logit_normal")) {
    p.logit_mean = form.at("mean").get<double>();
    p.logit_std = form.at("std").get<double>();
    p.sigmoid_scale = form.at("sigmoid_scale").get<double>();
    const std::string name = cat("outputs/u.logit_normal_m", short_number(p.logit_mean), "_s",
                                 short_number(p.logit_std), "_k", short_number(p.sigmoid_scale));
    if (c.has(name)) result.compare(name, logit_normal_u(normal, p));
  }
  p.mode_scale = c.config.at("mode_scale").get<double>();
  result.compare("outputs/u.mode", mode_u(uniform, p));
  result.compare("outputs/u.uniform", uniform);
  for (const double shift : c.config.at("shifts").get<std::vector<double>>()) {
    const auto sigma = shifted(logit_normal_u(normal, FlowParams()), shift);
    const std::string name = cat("outputs/shift", short_number(shift), ".");
    result.compare(name + "sigma", sigma);
    result.compare(name + "t", kFlowTimes * sigma);
  }
  for (const Json& form : c.config.at("eulers")) {
    const auto steps = form.at("steps").get<int64_t>();
    const double first = form.at("sample_shift").get<double>(),
                 second = form.at("shift").get<double>();
    const auto grid = flow_grid(steps, first, second);
    const std::string name =
        cat("outputs/euler_", steps, "_", short_number(first), "_", short_number(second), ".");
    result.compare(name + "sigmas", grid);
    result.compare(name + "timesteps", kFlowTimes * grid.narrow(0, 0, steps));
  }
}

}  // namespace

void register_module_kinds() {
  register_golden_kind("promoe", "module", run_module);
  register_golden_kind("promoe", "loss", run_loss);
  register_golden_kind("promoe", "schedule", run_schedule);
}

}  // namespace switchyard::diffusion_golden
