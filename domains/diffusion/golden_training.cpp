// Golden kinds optimizer of both sets, ema and ema_diffusers.

#include <ATen/core/grad_mode.h>

#include "core/train/ema.h"
#include "core/train/optimizer.h"
#include "core/train/schedule.h"
#include "domains/diffusion/golden_parts.h"

namespace switchyard::diffusion_golden {
namespace {

/// Bare tensors as a module.
struct Tensors : Module {
  at::Tensor& add(const std::string& name, const at::Tensor& value) {
    at::Tensor& out = add_parameter(name, value.sizes(), Init::constant(0));
    const at::NoGradGuard no_grad;
    out.set_data(value.clone());
    return out;
  }
  void add_fixed(const std::string& name, const at::Tensor& value) { add_buffer(name, value); }
};

using Parameters = std::map<std::string, at::Tensor*>;

int64_t steps_of(const GoldenCase& c) { return c.config.at("steps").get<int64_t>(); }

at::Tensor one(double value) { return at::full({1}, value, at::kDouble); }

AdamWParams adamw_params(const Json& config) {
  AdamWParams out;
  out.lr = config.at("lr").get<double>();
  out.beta1 = config.at("betas").at(0).get<double>();
  out.beta2 = config.at("betas").at(1).get<double>();
  out.eps = config.at("eps").get<double>();
  out.weight_decay = config.at("weight_decay").get<double>();
  return out;
}

Schedule schedule_of(const GoldenCase& c) {
  ScheduleParams params;
  params.warmup_steps = c.config.value("warmup_steps", 0);
  return {params, steps_of(c)};
}

/// Compares below `prefix` what the file holds of it, "NAME" or "GROUP/NAME" as "GROUP.NAME".
void compare_present(const GoldenCase& c, GoldenResult& result, const std::string& prefix,
                     const NamedTensors& tensors) {
  for (const auto& [key, value] : tensors) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '/', '.');
    if (c.has(prefix + name)) result.compare(prefix + name, value);
  }
}

void run_optimizer(const GoldenCase& c, GoldenResult& result) {
  Tensors module;
  Parameters parameters;
  for (int64_t i = 0; c.has(cat("weights/p", i)); ++i)
    parameters[cat("p", i)] = &module.add(cat("p", i), c.tensor(cat("weights/p", i)));
  const AdamWParams params = adamw_params(c.config);
  const Schedule schedule = schedule_of(c);
  AdamW optimizer(module, params);
  Ema ema(module, c.config.value("ema_decay", 0.0));
  std::vector<double> rates;
  for (int64_t step = 0; step < steps_of(c); ++step) {
    const std::string prefix = cat("outputs/step", step, ".");
    for (auto& [key, p] : parameters) p->mutable_grad() = c.input(cat("step", step, ".grad.", key));
    const double norm = optimizer.grad_norm(), factor = schedule.at(step).lr_factor;
    optimizer.step(factor, {}, clip_factor(norm, c.config.value("max_grad_norm", 0.0)));
    ema.update(step + 1);
    rates.push_back(params.lr * factor);
    compare_present(c, result, prefix, {{"grad_norm", one(norm)}});
    for (const auto& [key, p] : parameters) result.compare(prefix + "param." + key, *p);
    compare_present(c, result, prefix, optimizer.state());
    compare_present(c, result, prefix + "ema.", ema.state());
  }
  compare_present(c, result, "outputs/", {{"lr", at::tensor(rates, at::kDouble)}});
}

/// Rows of inputs/param or inputs/param.NAME: the start, then the parameter after every step.
struct Course {
  explicit Course(const GoldenCase& c) {
    for (const std::string& name : c.file.names()) {
      if (!name.starts_with("inputs/param")) continue;
      const size_t dot = name.find('.');
      const std::string key = dot == std::string::npos ? "param" : name.substr(dot + 1);
      rows[key] = c.tensor(name);
      parameters[key] = &module.add(key, rows[key][0]);
    }
  }
  void move_to(int64_t row) {
    const at::NoGradGuard no_grad;
    for (auto& [key, p] : parameters) p->copy_(rows[key][row]);
  }

  Tensors module;
  std::map<std::string, at::Tensor> rows;
  Parameters parameters;
};

/// States of the average after every update, the start included, by name.
std::map<std::string, std::vector<at::Tensor>> averages(Course& course, Ema& ema, int64_t steps) {
  std::map<std::string, std::vector<at::Tensor>> out;
  for (int64_t row = 0; row <= steps; ++row) {
    course.move_to(row);
    if (row > 0) ema.update(row);
    for (const auto& [name, value] : ema.state()) out[name].push_back(value.clone());
  }
  return out;
}

void run_ema(const GoldenCase& c, GoldenResult& result) {
  for (const Json& decay : c.config.at("decays")) {
    Course course(c);
    const auto buffer = c.input("buffer");
    course.module.add_fixed("buffer", buffer[buffer.size(0) - 1]);
    Ema ema(course.module, decay.get<double>());
    for (const auto& [name, states] : averages(course, ema, steps_of(c)))
      name == "buffer"
          ? result.compare("outputs/buffer", states.back())
          : result.compare(cat("outputs/decay", decay.dump(), ".", name), at::stack(states));
  }
}

EmaWarmup warmup_of(const Json& form) {
  EmaWarmup out;
  out.rule = form.at("use_ema_warmup").get<bool>() ? "power" : "ratio";
  out.inv_gamma = form.at("inv_gamma").get<double>();
  out.power = form.at("power").get<double>();
  out.start = form.at("update_after_step").get<int64_t>();
  out.min_decay = form.at("min_decay").get<double>();
  return out;
}

at::Tensor decays_at(const Json& form, const std::vector<int64_t>& updates) {
  std::vector<double> out;
  for (const int64_t n : updates)
    out.push_back(ema_decay(form.at("decay").get<double>(), warmup_of(form), n));
  return at::tensor(out, at::kDouble);
}

void run_ema_diffusers(const GoldenCase& c, GoldenResult& result) {
  const auto n = c.input("n").contiguous();
  const std::vector<int64_t> asked(n.const_data_ptr<int64_t>(),
                                   n.const_data_ptr<int64_t>() + n.numel());
  std::vector<int64_t> used(static_cast<size_t>(steps_of(c)));
  std::iota(used.begin(), used.end(), int64_t{1});
  int64_t index = 0;
  for (const Json& form : c.config.at("runs")) {
    const std::string prefix = cat("outputs/", index++, ".");
    Course course(c);
    Ema ema(course.module, form.at("decay").get<double>(), warmup_of(form));
    result.compare(prefix + "decay", decays_at(form, asked));
    result.compare(prefix + "decay_used", decays_at(form, used));
    result.compare(prefix + "ema", at::stack(averages(course, ema, steps_of(c)).at("param")));
  }
}

}  // namespace

void register_training_kinds() {
  register_golden_kind("promoe", "optimizer", run_optimizer);
  register_golden_kind("diffusion", "optimizer", run_optimizer);
  register_golden_kind("diffusion", "ema", run_ema);
  register_golden_kind("diffusion", "ema_diffusers", run_ema_diffusers);
}

}  // namespace switchyard::diffusion_golden
