#pragma once

namespace switchyard {

/// Kind `metrics` of the set point_moe; those of register_generative_golden.
void register_metric_golden();
/// Kinds `metric_*` of the set diffusion. Called by register_metric_golden.
void register_generative_golden();

}  // namespace switchyard
