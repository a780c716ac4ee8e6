// Golden kinds moe_layer, model and flow of the set promoe.

#include <ATen/core/grad_mode.h>

#include "core/moe/layer.h"
#include "core/train/ema.h"
#include "core/train/optimizer.h"
#include "domains/diffusion/flow.h"
#include "domains/diffusion/golden_parts.h"
#include "domains/diffusion/guidance.h"

namespace switchyard::diffusion_golden {
namespace {

at::Tensor one(const at::Tensor& scalar) { return scalar.detach().view({1}); }

/// One MoE layer alone, over images of N tokens.
class LayerCase {
 public:
  LayerCase(const GoldenCase& c)
      : c_(c),
        layer_(make_moe_layer(parse_params<MoEConfig>(moe_config(c.config), "moe"), width(),
                              width(), "moe")) {
    c.load_weights(*layer_);
  }

  /// `aux_only`: the loss whose gradients are wanted is that of the auxiliary terms alone.
  struct Pass {
    at::Tensor x, y;
    ForwardContext context;
    RoutingRecord record;
  };
  void run(bool train, Pass& pass) {
    layer_->train(train);
    pass.x = c_.input("hidden").requires_grad_(train);
    const int64_t batch = pass.x.size(0), length = pass.x.size(1);
    pass.context.training = train;
    pass.context.start({at::arange(0, (batch + 1) * length, length,
                                   at::TensorOptions(at::kLong).device(c_.device)),
                        {},
                        {},
                        {},
                        {}});
    pass.context.cond_mask =
        (c_.input("labels") != c_.config.at("null_label").get<int64_t>()).to(c_.device);
    pass.context.trace = &pass.record;
    pass.y = layer_->forward(pass.x.view({batch * length, -1}), pass.context).view_as(pass.x);
  }
  SubLayer& layer() { return *layer_; }

 private:
  int64_t width() const { return c_.config.at("hidden_size").get<int64_t>(); }
  const GoldenCase& c_;
  std::unique_ptr<SubLayer> layer_;
};

void compare_eval(const GoldenCase& c, LayerCase& layer, GoldenResult& result) {
  const at::NoGradGuard no_grad;
  LayerCase::Pass pass;
  layer.run(false, pass);
  result.compare("outputs/eval/y", pass.y);
  if (c.has("outputs/eval/router.combine"))
    compare_routing(c, result, "eval", "", pass.record.sites.at("moe"), layer.layer());
}

void compare_train(const GoldenCase& c, LayerCase& layer, GoldenResult& result) {
  LayerCase::Pass pass;
  layer.run(true, pass);
  result.compare("outputs/train/y", pass.y);
  compare_routing(c, result, "train", "", pass.record.sites.at("moe"), layer.layer());
  compare_aux(c, result, "", "moe", pass.context);
  const auto main = pull(c, pass.y), aux = sum_of_losses(pass.context, main.options());
  result.compare("outputs/train/loss.main", one(main));
  result.compare("outputs/train/loss.aux", one(aux));
  result.compare("outputs/train/loss.total", one(main + aux));
  (main + aux).backward();
  result.compare("grads_inputs/hidden", pass.x.grad());
  result.compare_module(layer.layer());
}

/// Forgets the gradients, and pulls the auxiliary terms of a fresh pass alone.
template <class Forward>
void pull_aux(const Module& module, Forward&& forward) {
  for (const ParamView& view : module.views()) {
    at::Tensor storage = view.storage;
    if (view.trainable) storage.mutable_grad() = at::Tensor();
  }
  const at::Tensor aux = forward();
  if (aux.requires_grad()) aux.backward();
}

void compare_aux_weights(const GoldenCase& c, const Module& module, GoldenResult& result) {
  for (const ParamView& view : module.views()) {
    const std::string name = "grads_aux/" + view.name;
    if (view.trainable && c.has(name)) result.compare(name, view.grad());
  }
}

bool has_aux_gradients(const GoldenCase& c) {
  const auto& names = c.file.names();
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return name.starts_with("grads_aux"); });
}

void compare_aux_gradients(const GoldenCase& c, LayerCase& layer, GoldenResult& result) {
  if (!has_aux_gradients(c)) return;
  LayerCase::Pass pass;
  pull_aux(layer.layer(), [&] {
    layer.run(true, pass);
    return sum_of_losses(pass.context, pass.x.options());
  });
  if (c.has("grads_aux_inputs/hidden")) result.compare("grads_aux_inputs/hidden", pass.x.grad());
  compare_aux_weights(c, layer.layer(), result);
}

void run_layer(const GoldenCase& c, GoldenResult& result) {
  LayerCase layer(c);
  compare_eval(c, layer, result);
  compare_train(c, layer, result);
  compare_aux_gradients(c, layer, result);
}

/// Sites of a pass: "blocks.1.mlp".
void compare_sites(const GoldenCase& c, GoldenResult& result, const std::string& pass,
                   const RoutingRecord& record, const ForwardContext& context, const Dit& net) {
  for (const auto& [site, routing] : record.sites) {
    const std::string prefix = site + ".";
    if (!c.has("outputs/" + pass + "/" + prefix + "router.combine")) continue;
    const Module* layer = nullptr;
    for (const Module* module : net.modules()) {
      const auto* sub = dynamic_cast<const SubLayer*>(module);
      if (sub && sub->site_info() && sub->site_info()->site == site) layer = module;
    }
    compare_routing(c, result, pass, prefix, routing, *layer);
    if (pass == "train") compare_aux(c, result, prefix, site, context);
  }
}

DitInput input_of(const GoldenCase& c) { return {c.input("x"), c.input("t"), c.input("y")}; }

void compare_model_eval(const GoldenCase& c, Dit& net, GoldenResult& result) {
  const at::NoGradGuard no_grad;
  net.train(false);
  RoutingRecord record;
  ForwardContext context;
  context.trace = &record;
  result.compare("outputs/eval/out", net.forward(input_of(c), context));
  compare_sites(c, result, "eval", record, context, net);
}

void run_model(const GoldenCase& c, GoldenResult& result) {
  Dit net(dit_params(c.config));
  c.load_weights(net);
  compare_model_eval(c, net, result);
  net.train(true);
  RoutingRecord record;
  ForwardContext context;
  context.training = true;
  context.trace = &record;
  const auto input = input_of(c);
  if (c.has("grads_inputs/x")) input.x.requires_grad_(true);
  const auto out = net.forward(input, context, [&](const std::string& name, const at::Tensor& x) {
    const std::string full = "outputs/train/" + name;
    if (c.has(full)) result.compare(full, x.view(c.tensor(full).sizes()));
  });
  result.compare("outputs/train/out", out);
  compare_sites(c, result, "train", record, context, net);
  const auto main = pull(c, out), aux = sum_of_losses(context, main.options());
  result.compare("outputs/train/loss.main", one(main));
  result.compare("outputs/train/loss.aux", one(aux));
  result.compare("outputs/train/loss.total", one(main + aux));
  (main + aux).backward();
  if (c.has("grads_inputs/x")) result.compare("grads_inputs/x", input.x.grad());
  result.compare_module(net);
  if (!has_aux_gradients(c)) return;
  pull_aux(net, [&] {
    ForwardContext again;
    again.training = true;
    net.forward(input_of(c), again);
    return sum_of_losses(again, main.options());
  });
  compare_aux_weights(c, net, result);
}

/// Trains and samples with one network.
class FlowCase {
 public:
  FlowCase(const GoldenCase& c, GoldenResult& result)
      : c_(c), result_(result), net_(dit_params(c.config)) {
    c.load_weights(net_);
  }

  void sample() {
    const at::NoGradGuard no_grad;
    net_.train(false);
    const Json plan = parse_json(c_.file.metadata("sampler"), "sampler");
    const auto grid =
        flow_grid(plan.at("steps").get<int64_t>(), plan.at("sample_shift").get<double>(),
                  plan.at("shift").get<double>());
    result_.compare("outputs/sampler/sigmas", grid);
    result_.compare("outputs/sampler/timesteps", kFlowTimes * grid.narrow(0, 0, grid.size(0) - 1));
    for (const double scale : plan.at("cfg_scales").get<std::vector<double>>())
      sample_with(grid, scale, plan.at("null_label").get<int64_t>());
  }

  void train() {
    const Json flow = parse_json(c_.file.metadata("flow"), "flow");
    const auto sigma = shifted(c_.input("u"), flow.at("shift").get<double>());
    const auto batch = flow_sample(c_.input("z"), c_.input("noise"), sigma);
    result_.compare("outputs/train/sigma", sigma);
    result_.compare("outputs/train/t", batch.t);
    result_.compare("outputs/train/x_t", batch.x);
    result_.compare("outputs/train/target", batch.target);
    const Loss loss = forward(batch, /*compare=*/true);
    (loss.mse + loss.aux).backward();
    result_.compare_module(net_);
    if (c_.has("outputs/steps/0.grad_norm")) optimise(batch);
  }

 private:
  struct Loss {
    at::Tensor mse, aux;
  };

  void sample_with(const at::Tensor& grid, double scale, int64_t null_label) {
    const auto y = c_.input("sampler.y");
    const auto network = [&](const at::Tensor& x, const at::Tensor& t, const at::Tensor& null) {
      ForwardContext context;
      return net_.forward({x, t, y.masked_fill(null.cpu(), null_label)}, context);
    };
    const std::string name = cat("outputs/sampler/cfg", scale == 1 ? "1.0" : cat(scale), "/");
    std::vector<at::Tensor> states, velocities;
    euler(
        c_.input("sampler.noise"), grid,
        [&](const at::Tensor& x, double t) {
          return guided_prediction(network, x, t, {scale, "promoe"}).narrow(1, 0, x.size(1));
        },
        [&](int64_t, const at::Tensor& x, const at::Tensor& v) {
          states.push_back(x);
          if (v.defined()) velocities.push_back(v);
        });
    result_.compare(name + "x", at::stack(states));
    result_.compare(name + "v_first", velocities.front());
    result_.compare(name + "v_last", velocities.back());
  }

  Loss forward(const FlowSample& batch, bool compare) {
    net_.train(true);
    RoutingRecord record;
    ForwardContext context;
    context.training = true;
    context.trace = &record;
    const auto out = net_.forward({batch.x, batch.t, c_.input("y")}, context);
    const auto error = flow_error(out, batch.target);
    const Loss loss{error.mean(), sum_of_losses(context, error.options())};
    if (!compare) return loss;
    result_.compare("outputs/train/out", out);
    compare_sites(c_, result_, "train", record, context, net_);
    result_.compare("outputs/train/loss.per_sample", error);
    result_.compare("outputs/train/loss.mse", one(loss.mse));
    result_.compare("outputs/train/loss.aux", one(loss.aux));
    result_.compare("outputs/train/loss.total", one(loss.mse + loss.aux));
    return loss;
  }

  void optimise(const FlowSample& batch) {
    const Json plan = parse_json(c_.file.metadata("train"), "train");
    AdamWParams params;
    params.lr = plan.at("lr").get<double>();
    params.beta1 = plan.at("betas").at(0).get<double>();
    params.beta2 = plan.at("betas").at(1).get<double>();
    params.eps = plan.at("eps").get<double>();
    params.weight_decay = plan.at("weight_decay").get<double>();
    c_.load_weights(net_);
    AdamW optimizer(net_, params);
    Ema ema(net_, plan.at("ema_decay").get<double>());
    for (int64_t step = 0; step < plan.at("steps").get<int64_t>(); ++step) {
      optimizer.zero_grad();
      const Loss loss = forward(batch, /*compare=*/false);
      (loss.mse + loss.aux).backward();
      const double norm = optimizer.grad_norm();
      const std::string name = cat("outputs/steps/", step, ".");
      result_.compare(name + "grad_norm", at::full({1}, norm, at::kDouble));
      result_.compare(name + "loss.mse", one(loss.mse));
      result_.compare(name + "loss.aux", one(loss.aux));
      optimizer.step(1, {}, clip_factor(norm, plan.at("max_grad_norm").get<double>()));
      ema.update();
    }
    compare_weights("outputs/steps/weights/", net_);
    const EmaScope averaged(&ema);
    compare_weights("outputs/steps/ema/", net_);
  }

  void compare_weights(const std::string& prefix, const Module& module) {
    for (const ParamView& view : module.views()) {
      const std::string name = prefix + view.name;
      if (!c_.has(name)) continue;
      at::Tensor value = view.value().detach().clone();
      // The keys' bias has no gradient in theory; AdamW turns its rounding noise into steps.
      if (view.name.ends_with("attn.qkv.bias") && !net_.params().qk_norm) {
        const int64_t third = value.size(0) / 3;
        value.narrow(0, third, third).copy_(c_.tensor(name).narrow(0, third, third));
      }
      result_.compare(name, value);
    }
  }

  const GoldenCase& c_;
  GoldenResult& result_;
  Dit net_;
};

void run_flow(const GoldenCase& c, GoldenResult& result) {
  FlowCase flow(c, result);
  flow.sample();
  flow.train();
}

}  // namespace

void register_net_kinds() {
  register_golden_kind("promoe", "moe_layer", run_layer);
  register_golden_kind("promoe", "model", run_model);
  register_golden_kind("promoe", "flow", run_flow);
}

}  // namespace switchyard::diffusion_golden
