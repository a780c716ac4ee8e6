#include "core/train/schedule.h"

#include <cmath>
#include <numbers>

#include "core/base/registry.h"

namespace switchyard {
namespace {

/// From `start` to `end` along half a cosine; `part` in [0, 1].
double half_cosine(double start, double end, double part) {
  return end + (start - end) / 2 * (std::cos(std::numbers::pi * part) + 1);
}

double share(double step, double start, double end) {
  return end > start ? std::clamp((step - start) / (end - start), 0.0, 1.0) : 1.0;
}

}  // namespace

void ScheduleParams::declare(Fields<ScheduleParams>& f) {
  f.add("type", &ScheduleParams::type, "course of the learning rate",
        Choices{{"constant", "cosine", "one_cycle", "wsd", "poly"}});
  f.add("total_steps", &ScheduleParams::total_steps, "length; null: trainer.max_steps; frozen",
        at_least(1));
  f.add("warmup_steps", &ScheduleParams::warmup_steps, "all but one_cycle: linear warm-up",
        at_least(0));
  f.add("min_factor", &ScheduleParams::min_factor, "cosine, wsd, poly: factor at the end",
        between(0, 1));
  f.add("decay_share", &ScheduleParams::decay_share, "wsd: share of the steps that decays",
        between(0, 1));
  f.add("decay_shape", &ScheduleParams::decay_shape, "wsd: course of the decay",
        Choices{{"linear", "sqrt"}});
  f.add("power", &ScheduleParams::power, "poly: exponent", between(0, 100));
  f.add("pct_start", &ScheduleParams::pct_start, "one_cycle: share of the rise", between(0, 1));
  f.add("div", &ScheduleParams::div, "one_cycle: peak / first rate", at_least(1));
  f.add("final_div", &ScheduleParams::final_div, "one_cycle: first / last rate", at_least(1));
  f.add("cycle_beta1", &ScheduleParams::cycle_beta1, "one_cycle: move beta1 against the rate");
  f.add("beta1_max", &ScheduleParams::beta1_max, "one_cycle: beta1 at both ends",
        between(0, 0.9999999));
  f.add("beta1_min", &ScheduleParams::beta1_min, "one_cycle: beta1 at the peak rate",
        between(0, 0.9999999));
}

ScheduleParams parse_schedule(const ConfigNode& node, const std::string& what) {
  if (!node.is_string()) return parse_params<ScheduleParams>(node, what);
  return parse_params<ScheduleParams>(ConfigNode(ConfigNode::Map{{"type", node}}, node.origin()),
                                      what);
}

Schedule::Schedule(const ScheduleParams& params, int64_t total_steps)
    : params_(params), total_steps_(params.total_steps.value_or(total_steps)) {
  check(total_steps_ >= 1, "schedule", "total_steps is out of range: got ", total_steps_,
        ", expected at least 1");
}

ScheduleValue Schedule::at(int64_t step) const {
  step = std::min(step, total_steps_ - 1);
  if (params_.type == "one_cycle") return one_cycle(step);
  if (step < params_.warmup_steps) return {warmup(step), {}};
  if (params_.type == "cosine") return {cosine(step), {}};
  if (params_.type == "wsd") return {wsd(step), {}};
  if (params_.type == "poly") return {poly(step), {}};
  return {1, {}};
}

double Schedule::warmup(int64_t step) const {
  return static_cast<double>(step + 1) / static_cast<double>(params_.warmup_steps);
}

double Schedule::cosine(int64_t step) const {
  const double part = share(static_cast<double>(step), static_cast<double>(params_.warmup_steps),
                            static_cast<double>(total_steps_ - 1));
  return half_cosine(1, params_.min_factor, part);
}

double Schedule::wsd(int64_t step) const {
  const int64_t decay = std::llround(params_.decay_share * static_cast<double>(total_steps_));
  const int64_t done = step + 1 - (total_steps_ - decay);
  if (done <= 0) return 1;
  const double part = static_cast<double>(done) / static_cast<double>(decay);
  const double left = 1 - (params_.decay_shape == "sqrt" ? std::sqrt(part) : part);
  return params_.min_factor + (1 - params_.min_factor) * left;
}

double Schedule::poly(int64_t step) const {
  const double part = static_cast<double>(step - params_.warmup_steps) /
                      static_cast<double>(total_steps_ - params_.warmup_steps);
  return params_.min_factor + (1 - params_.min_factor) * std::pow(1 - part, params_.power);
}

ScheduleValue Schedule::one_cycle(int64_t step) const {
  const double s = static_cast<double>(step), last = static_cast<double>(total_steps_ - 1);
  const double peak = params_.pct_start * static_cast<double>(total_steps_) - 1;
  const double first = 1 / params_.div;
  const bool rising = s <= peak;
  const double part = rising ? share(s, 0, peak) : share(s, peak, last);
  ScheduleValue out;
  out.lr_factor =
      rising ? half_cosine(first, 1, part) : half_cosine(1, first / params_.final_div, part);
  if (!params_.cycle_beta1) return out;
  out.beta1 = rising ? half_cosine(params_.beta1_max, params_.beta1_min, part)
                     : half_cosine(params_.beta1_min, params_.beta1_max, part);
  return out;
}

}  // namespace switchyard
