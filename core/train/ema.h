#pragma once

#include "core/io/safetensors.h"
#include "core/nn/module.h"
#include "core/train/ema_decay.h"

namespace switchyard {

/// Exponential moving average of the trainable storages; buffers are taken from the model as they
/// are.
class Ema {
 public:
  /// Starts as a copy of the weights. `decay` in [0, 1).
  Ema(const Module& module, double decay, const EmaWarmup& warmup = {});
  /// average = d * average + (1 - d) * weights, d = ema_decay(n); call once per step, `n` its
  /// number from 1.
  void update(int64_t n);
  /// Exchanges average and weights in place (no copy); twice restores. See EmaScope.
  void swap();
  /// Every published tensor of the module, averaged: loads as ordinary weights.
  NamedTensors state() const;
  /// Errors: a missing or unexpected name, a wrong shape.
  void load_state(const SafeTensors& file);

 private:
  const Module& module_;
  double decay_;
  EmaWarmup warmup_;
  std::vector<at::Tensor> parameters_, averages_;
};

/// The model holds the averaged weights while this lives. A null `ema` does nothing.
class EmaScope {
 public:
  explicit EmaScope(Ema* ema);
  ~EmaScope();
  EmaScope(const EmaScope&) = delete;
  EmaScope& operator=(const EmaScope&) = delete;

 private:
  Ema* ema_;
};

}  // namespace switchyard
