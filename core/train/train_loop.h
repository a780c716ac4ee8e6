#pragma once

#include <optional>

#include "core/base/step_timer.h"
#include "core/moe/balance.h"
#include "core/train/batch_feed.h"
#include "core/train/checkpoint.h"
#include "core/train/checkpoint_store.h"
#include "core/train/event_log.h"
#include "core/train/metrics_log.h"
#include "core/train/progress.h"
#include "core/train/trainer.h"

namespace switchyard {

/// One call of train(): holds what lives as long as the run of this process.
class TrainLoop {
 public:
  TrainLoop(Task& task, Module& model, const TrainSetup& setup);
  TrainResult run();

 private:
  /// What the micro batches of one step gave.
  struct StepSums {
    Metrics values;  ///< loss, total, aux/NAME, tokens
    bool finite = true;
    std::vector<std::unique_ptr<Batch>> batches;
  };
  void resume();
  void check_same_run(const TrainState& saved) const;
  std::unique_ptr<BatchFeed> make_feed();
  void step(BatchFeed& feed);
  StepSums forward_backward(BatchFeed& feed);
  void micro_batch(Batch& batch, int64_t micro, StepSums& sums);
  void update(double grad_norm, const ScheduleValue& value);
  void finish_step(const StepSums& sums, double grad_norm, const ScheduleValue& value);
  void count_skipped(const StepSums& sums, bool overflow);
  double loss_scale() const { return state_.loss_scaler ? state_.loss_scaler->scale() : 1; }
  [[noreturn]] void give_up(const StepSums& sums);
  void log(Metrics row, bool finite);
  void write_row(const Metrics& row);
  bool evaluate();
  bool checkpoint_due(bool new_best, bool stop) const;
  void save();
  TrainParts parts() { return {model_, optimizer_, ema_ ? &*ema_ : nullptr}; }
  bool at_end() const { return state_.step >= last_step_; }
  bool writes() const { return !params_.dry_run; }

  Task& task_;
  Module& model_;
  const TrainSetup& setup_;
  const TrainerParams& params_;
  const at::Device device_;
  int64_t last_step_;
  AdamW optimizer_;
  std::optional<Ema> ema_;
  CheckpointStore store_;
  TrainState state_;
  BalanceState balance_;  ///< empty between steps, so no checkpoint holds it
  std::optional<Schedule> schedule_;
  std::optional<MetricsLog> metrics_;
  std::optional<EventLog> events_;
  std::optional<AppendFile> timing_;
  std::optional<Progress> progress_;
  StepTimer timer_;
  Metrics last_;
};

}  // namespace switchyard
