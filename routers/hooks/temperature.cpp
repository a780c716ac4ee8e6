#include "routers/hooks/temperature.h"

namespace switchyard {
namespace {
struct Params {
  double value = 1;
  static void declare(Fields<Params>& f) {
    f.add("value", &Params::value, "the logits are divided by this", at_least(1e-6));
  }
};
}  // namespace

at::Tensor TemperatureHook::forward(const at::Tensor& logits_TE, const ForwardContext&) {
  return logits_TE / temperature_;
}

void register_temperature_hook() {
  logit_hooks().add<Params>("temperature", "logits / value", [](const Params& p, int64_t) {
    return std::make_unique<TemperatureHook>(p.value);
  });
}

}  // namespace switchyard
