#pragma once
// Decay of an average of weights from update to update. Without a warm-up it is constant, and an
// average of decay .9999 holds mostly the first weights for thousands of steps.

#include "core/base/params.h"

namespace switchyard {

/// rule, with s = update - start - 1 (numbers as diffusers' EMAModel):
///   none   constant
///   ratio  (1 + s) / (10 + s)
///   power  1 - (1 + s / inv_gamma)^-power
/// Both end at the full decay and are 0 while s <= 0: the average is the weights.
struct EmaWarmup {
  std::string rule = "none";
  double inv_gamma = 1, power = 2. / 3, min_decay = 0;
  int64_t start = 0;
  static void declare(Fields<EmaWarmup>& f);
};

/// Of the n-th update, n from 1; `decay`: where the warm-up ends.
double ema_decay(double decay, const EmaWarmup& warmup, int64_t n);

}  // namespace switchyard
