#pragma once
// AdamW with decoupled weight decay (Loshchilov & Hutter 2019), numbers as
// torch.optim.AdamW(fused=True).

#include <ATen/core/Tensor.h>

#include "core/base/params.h"
#include "core/io/safetensors.h"
#include "core/nn/module.h"

namespace switchyard {

/// Parameters whose public name contains `match` (Point-MoE 2.5: {match: block, lr_scale: 0.3}).
struct ParamGroup {
  std::string match;
  double lr_scale = 1;
  std::optional<double> weight_decay;  ///< null: AdamWParams::weight_decay
  static void declare(Fields<ParamGroup>& f);
};

struct AdamWParams {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  std::vector<ConfigNode> groups;  ///< ParamGroup nodes; the first match wins
  static void declare(Fields<AdamWParams>& f);
};

/// Steps each distinct storage once, whatever the number of views. A storage without a gradient is
/// left alone (no decay, no step count). A view of a stacked storage that got no tokens has a zero
/// gradient, not an absent one: it decays. State is fp32 (double for double parameters).
class AdamW {
 public:
  /// Errors: bad group node, a group that matches nothing, views of one storage in two groups, a
  /// parameter that is neither float nor double or not contiguous.
  AdamW(const Module& module, const AdamWParams& params);

  /// One update. Gradients count times `grad_factor` (clipping; may be folded into
  /// them). `lr_factor` scales every group's
  /// rate; `beta1` null: as in the parameters. Bit-equal for any thread count on the CPU.
  void step(double lr_factor, std::optional<double> beta1 = {}, double grad_factor = 1);
  void zero_grad();
  /// L2 norm over all gradients, summed in double in a fixed order. Not finite if any element is
  /// not.
  double grad_norm() const;

  /// Per public name: "exp_avg/NAME", "exp_avg_sq/NAME" (windows of the state), "step/NAME" [1]
  /// i64.
  NamedTensors state() const;
  /// Errors: a missing or unexpected name, a wrong shape.
  void load_state(const SafeTensors& file);

  double lr() const { return params_.lr; }
  double beta1() const { return params_.beta1; }

 private:
  struct Slot {
    std::vector<ParamView> views;
    at::Tensor parameter, exp_avg, exp_avg_sq;
    int64_t step = 0;
    size_t group = 0;
  };

  AdamWParams params_;
  std::vector<ParamGroup> groups_;  ///< the last one takes the rest
  std::vector<Slot> slots_;
};

/// Factor of clipping by global norm, as torch's clip_grad_norm_: min(1, limit / (norm + 1e-6)).
/// `limit` 0: no clipping.
double clip_factor(double norm, double limit);

}  // namespace switchyard
