#pragma once
// Learning-rate schedules: pure functions of the step, so resume needs no state but `total_steps`.

#include "core/base/params.h"

namespace switchyard {

struct ScheduleParams {
  std::string type = "constant";
  std::optional<int64_t> total_steps;  ///< null: trainer.max_steps; frozen in the checkpoint
  int64_t warmup_steps = 0;            ///< constant and cosine: linear from 1/warmup to 1
  double min_factor = 0;               ///< cosine: factor at the last step
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
  double warmup(int64_t step) const;

  ScheduleParams params_;
  int64_t total_steps_;
};

}  // namespace switchyard
