#include "core/train/ema.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>

#include "core/train/tensor_files.h"

namespace switchyard {

Ema::Ema(const Module& module, double decay, const EmaWarmup& warmup)
    : module_(module), decay_(decay), warmup_(warmup), parameters_(module.parameters()) {
  check(decay >= 0 && decay < 1, "trainer.ema_decay", "is out of range: got ", decay,
        ", expected 0 to below 1");
  for (const at::Tensor& parameter : parameters_) averages_.push_back(parameter.detach().clone());
}

void Ema::update(int64_t n) {
  at::NoGradGuard no_grad;
  const double decay = ema_decay(decay_, warmup_, n);
  at::_foreach_lerp_(averages_, parameters_, 1 - decay);
}

void Ema::swap() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor weights = parameters_[i].detach();
    parameters_[i].set_data(averages_[i]);
    averages_[i] = weights;
  }
}

NamedTensors Ema::state() const {
  std::map<void*, at::Tensor> average_of;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    average_of[parameters_[i].unsafeGetTensorImpl()] = averages_[i];
  }
  NamedTensors out;
  for (const ParamView& view : module_.views()) {
    const auto found = average_of.find(view.storage.unsafeGetTensorImpl());
    out.emplace_back(view.name, found == average_of.end() ? view.value() : view.of(found->second));
  }
  return out;
}

void Ema::load_state(const SafeTensors& file) { load_exact(file, state()); }

EmaScope::EmaScope(Ema* ema) : ema_(ema) {
  if (ema_) ema_->swap();
}

EmaScope::~EmaScope() {
  if (ema_) ema_->swap();
}

}  // namespace switchyard
