#pragma once
// Learning-rate schedules: pure functions of the step, so resume needs no state but `total_steps`.

#include "core/base/params.h"

namespace switchyard {

struct ScheduleParams {
  std::string type = "constant";
  std::optional<int64_t> total_steps;  ///< null: trainer.max_steps; frozen in the checkpoint
  int64_t warmup_steps = 0;            ///< all but one_cycle: linear from 1/warmup to 1
  double min_factor = 0;               ///< cosine, wsd, poly: the factor they end at
  // wsd: warm-up, stable, decay (Hu et al. 2024, MiniCPM, arXiv 2404.06395). The decay takes the last
  // decay_share of the steps; its last step has min_factor. Shapes as in Haegele et al. 2024,
  // "Scaling laws and compute-optimal training beyond fixed training durations".
  double decay_share = 0.1;
  std::string decay_shape = "linear";  ///< "linear": 1 - part; "sqrt": 1 - sqrt(part)
  // poly: (1 - s/S)^power over the S steps behind the warm-up (Chen et al. 2017, DeepLab;
  // torch.optim.lr_scheduler.PolynomialLR). The last step has s = S - 1, so it is not zero.
  double power = 0.9;
  // one_cycle, as torch.optim.lr_scheduler.OneCycleLR with two cosine phases
  double pct_start = 0.3;
  double div = 25;
  double final_div = 1e4;
  bool cycle_beta1 = true;
  double beta1_max = 0.95;
  double beta1_min = 0.85;
  static void declare(Fields<ScheduleParams>& f);
};

/// Reads a schedule node; a bare string X means {type: X}.
ScheduleParams parse_schedule(const ConfigNode& node, const std::string& what = "schedule");

struct ScheduleValue {
  double lr_factor = 1;         ///< times the peak rate of each group
  std::optional<double> beta1;  ///< null: the optimizer's own
};

class Schedule {
 public:
  /// `total_steps` >= 1 counts when the parameters leave it null.
  Schedule(const ScheduleParams& params, int64_t total_steps);
  /// Value for the update that turns step `step` into `step + 1`; 0 is the first. Steps past the
  /// end keep the last value.
  ScheduleValue at(int64_t step) const;
  int64_t total_steps() const { return total_steps_; }

 private:
  ScheduleValue one_cycle(int64_t step) const;
  double cosine(int64_t step) const;
  double wsd(int64_t step) const;
  double poly(int64_t step) const;
  double warmup(int64_t step) const;

  ScheduleParams params_;
  int64_t total_steps_;
};

}  // namespace switchyard
