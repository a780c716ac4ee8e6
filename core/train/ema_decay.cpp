#include "core/train/ema_decay.h"

#include <algorithm>
#include <cmath>

namespace switchyard {

void EmaWarmup::declare(Fields<EmaWarmup>& f) {
  f.add("rule", &EmaWarmup::rule, "how the decay of the average grows",
        Choices{{"none", "ratio", "power"}});
  f.add("inv_gamma", &EmaWarmup::inv_gamma, "of power: updates that count as one", at_least(1e-9));
  f.add("power", &EmaWarmup::power, "of power: 2/3 for long trainings, 3/4 for short ones",
        at_least(0));
  f.add("min_decay", &EmaWarmup::min_decay, "least decay once it grows", between(0, 1));
  f.add("start", &EmaWarmup::start, "updates before it grows", at_least(0));
}

double ema_decay(double decay, const EmaWarmup& warmup, int64_t n) {
  if (warmup.rule == "none") return decay;
  const auto s = static_cast<double>(n - warmup.start - 1);
  if (s <= 0) return 0;
  const double grown = warmup.rule == "ratio"
                           ? (1 + s) / (10 + s)
                           : 1 - std::pow(1 + s / warmup.inv_gamma, -warmup.power);
  return std::max(std::min(grown, decay), warmup.min_decay);
}

}  // namespace switchyard
