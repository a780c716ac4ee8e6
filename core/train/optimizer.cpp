#include "core/train/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <set>

#include "core/train/norm_cpu.h"
#include "core/train/tensor_files.h"

namespace switchyard {
namespace {

constexpr const char* kWhere = "optimizer";

/// What one fused update takes.
struct Batch {
  std::vector<at::Tensor> parameter, grad, exp_avg, exp_avg_sq;
};

size_t group_of(const std::string& name, const std::vector<ParamGroup>& groups) {
  for (size_t i = 0; i + 1 < groups.size(); ++i) {
    if (name.find(groups[i].match) != std::string::npos) return i;
  }
  return groups.size() - 1;
}

void check_parameter(const ParamView& view) {
  const at::Tensor& p = view.storage;
  check(p.scalar_type() == at::kFloat || p.scalar_type() == at::kDouble, kWhere, view.name,
        " has a dtype that AdamW does not step: got ", std::string(c10::toString(p.scalar_type())),
        "; valid: Float, Double");
  check(p.is_contiguous(), kWhere, view.name, " is not contiguous");
}

/// On the CPU, in a fixed order for any number of threads.
double square_sum(const at::Tensor& grad) {
  const at::Tensor flat = grad.contiguous();
  return flat.scalar_type() == at::kDouble
             ? sum_of_squares(flat.const_data_ptr<double>(), flat.numel())
             : sum_of_squares(flat.const_data_ptr<float>(), flat.numel());
}

}  // namespace

void ParamGroup::declare(Fields<ParamGroup>& f) {
  f.add("match", &ParamGroup::match, "text that the public name contains");
  f.add("lr_scale", &ParamGroup::lr_scale, "times optimizer.lr", at_least(0));
  f.add("weight_decay", &ParamGroup::weight_decay, "null: optimizer.weight_decay", at_least(0));
}

void AdamWParams::declare(Fields<AdamWParams>& f) {
  f.add("lr", &AdamWParams::lr, "peak learning rate", at_least(0));
  f.add("beta1", &AdamWParams::beta1, "decay of the mean gradient", between(0, 0.9999999));
  f.add("beta2", &AdamWParams::beta2, "decay of the mean squared gradient", between(0, 0.9999999));
  f.add("eps", &AdamWParams::eps, "added to the root", at_least(0));
  f.add("weight_decay", &AdamWParams::weight_decay, "decoupled decay, times the learning rate",
        at_least(0));
  f.add("groups", &AdamWParams::groups,
        "list of {match, lr_scale, weight_decay}; the first match wins");
}

AdamW::AdamW(const Module& module, const AdamWParams& params) : params_(params) {
  for (const ConfigNode& node : params.groups) {
    groups_.push_back(parse_params<ParamGroup>(node, "optimizer.groups"));
    check(!groups_.back().match.empty(), node.origin().text(), "optimizer.groups: match is empty");
  }
  groups_.emplace_back();
  std::map<void*, size_t> slot_of;
  std::vector<int64_t> uses(groups_.size());
  for (const ParamView& view : module.views()) {
    if (!view.trainable) continue;
    const size_t group = group_of(view.name, groups_);
    const auto [found, added] = slot_of.emplace(view.storage.unsafeGetTensorImpl(), slots_.size());
    if (added) {
      check_parameter(view);
      slots_.push_back(
          {{}, view.storage, at::zeros_like(view.storage), at::zeros_like(view.storage), 0, group});
    }
    Slot& slot = slots_[found->second];
    check(slot.group == group, kWhere, "views of one stacked tensor fall into two groups: got ",
          view.name, " beside ", slot.views.empty() ? view.name : slot.views[0].name);
    slot.views.push_back(view);
    ++uses[group];
  }
  for (size_t i = 0; i + 1 < groups_.size(); ++i) {
    check(uses[i] > 0, params.groups[i].origin().text(),
          "optimizer.groups: no parameter name contains '", groups_[i].match, "'");
  }
}

void AdamW::step(double lr_factor, std::optional<double> beta1, double grad_factor) {
  at::NoGradGuard no_grad;
  std::map<std::pair<size_t, int64_t>, Batch> batches;  // by group and step count
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    Batch& batch = batches[{slot.group, ++slot.step}];
    batch.parameter.push_back(slot.parameter);
    batch.grad.push_back(slot.parameter.grad().to(slot.parameter.scalar_type()).contiguous());
    batch.exp_avg.push_back(slot.exp_avg);
    batch.exp_avg_sq.push_back(slot.exp_avg_sq);
  }
  for (auto& [key, batch] : batches) {
    const ParamGroup& group = groups_[key.first];
    if (grad_factor != 1) at::_foreach_mul_(batch.grad, grad_factor);
    const auto count = at::full({}, key.second, batch.parameter[0].options().dtype(at::kFloat));
    const std::vector<at::Tensor> no_maximum, counts(batch.parameter.size(), count);
    at::_fused_adamw_(batch.parameter, batch.grad, batch.exp_avg, batch.exp_avg_sq, no_maximum,
                      counts, params_.lr * group.lr_scale * lr_factor,
                      beta1.value_or(params_.beta1), params_.beta2,
                      group.weight_decay.value_or(params_.weight_decay), params_.eps,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
}

void AdamW::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad().reset();
}

double AdamW::grad_norm() const {
  std::vector<at::Tensor> on_device;
  double sum = 0;
  for (const Slot& slot : slots_) {
    const at::Tensor& grad = slot.parameter.grad();
    if (!grad.defined()) continue;
    grad.is_cpu() ? void(sum += square_sum(grad)) : on_device.push_back(grad);
  }
  if (!on_device.empty())  // one transfer for all
    sum += at::stack(at::_foreach_norm(on_device, 2, at::kDouble)).square().sum().item<double>();
  return std::sqrt(sum);
}

NamedTensors AdamW::state() const {
  NamedTensors out;
  for (const Slot& slot : slots_) {
    for (const ParamView& view : slot.views) {
      out.emplace_back("exp_avg/" + view.name, view.of(slot.exp_avg));
      out.emplace_back("exp_avg_sq/" + view.name, view.of(slot.exp_avg_sq));
      out.emplace_back("step/" + view.name, at::full({1}, slot.step, at::kLong));
    }
  }
  return out;
}

void AdamW::load_state(const SafeTensors& file) {
  const NamedTensors targets = state();
  load_exact(file, targets);
  for (Slot& slot : slots_) slot.step = file.get("step/" + slot.views[0].name).item<int64_t>();
}

double clip_factor(double norm, double limit) {
  return limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0;
}

}  // namespace switchyard
