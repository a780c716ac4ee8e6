#pragma once
// One trainer for all modalities (DESIGN 5). Resume is exact: 2N steps == N steps, kill, resume, N
// steps, bit for bit, for equal thread counts.

#include <filesystem>
#include <functional>

#include "core/config/node.h"
#include "core/train/ema_decay.h"
#include "core/train/optimizer.h"
#include "core/train/schedule.h"
#include "core/train/task.h"

namespace switchyard {

struct TrainerParams {
  int64_t max_steps = 1000;
  int64_t stop_after = 0;          ///< end (saved) when this step is done; 0: at max_steps
  int64_t accumulate = 1;          ///< batches per step
  double clip_norm = 0;            ///< global gradient norm; 0: no clipping
  std::string precision = "fp32";  ///< of the forward pass; fp16 trains with a LossScaler
  double ema_decay = 0;            ///< 0: no average
  EmaWarmup ema_warmup;
  int64_t checkpoint_every = 0;  ///< 0: only at the end
  int64_t keep_last = 2;
  int64_t eval_every = 0;   ///< 0: never
  std::string best_metric;  ///< name of an evaluator value; empty: no best checkpoint
  std::string best_mode = "max";
  int64_t log_every = 10;
  int64_t threads = 0;  ///< 0: as the machine gives
  bool deterministic = true;
  bool prefetch = true;     ///< build batches on a thread of their own; never changes results
  int64_t overfit = 0;      ///< train on the first N batches again and again; 0: off
  bool dry_run = false;     ///< one step, no file written
  bool tensorboard = true;  ///< also write tb/, event files for TensorBoard
  bool step_times = false;  ///< print the five costliest parts at the end
  static void declare(Fields<TrainerParams>& f);
};

/// Values for the log by name. Called with the model in evaluation mode and, where there is one,
/// the averaged weights; must not draw from anything that training reads.
using EvaluateFn = std::function<std::map<std::string, double>(Task&, Module&, int64_t step)>;

struct TrainSetup {
  TrainerParams trainer;
  AdamWParams optimizer;
  ScheduleParams schedule;
  std::string device = "cpu";
  int64_t seed = 0;
  std::filesystem::path run_folder;
  ConfigNode config;  ///< resolved; compared on resume
  std::vector<std::string> overrides;
  std::map<std::string, std::string> provenance;  ///< git hash and what else the program knows
  EvaluateFn evaluate;                            ///< may be empty
  bool resume = false;
  std::filesystem::path resume_checkpoint;  ///< with resume; empty: the newest
  bool show_progress = true;
};

/// Exit code of a program that was told to stop and saved first.
constexpr int kExitSaved = 75;

struct TrainResult {
  int64_t step = 0;                    ///< finished steps
  bool stopped = false;                ///< a signal ended it early, saved: exit with kExitSaved
  std::map<std::string, double> last;  ///< last logged values
};

/// Trains `model` (already on the device, fp32 or double) and writes the run folder: config.yaml,
/// overrides.txt, provenance.json, metrics.jsonl, metrics.csv, timing.jsonl, tb/, ckpt/. Per step
/// the metrics hold: loss (task), aux/NAME, total, lr, beta1, grad_norm, tokens, skipped, with fp16
/// loss_scale, and what the pass reports; an evaluation adds a row eval/NAME.
/// `ForwardContext.random` is keyed (seed, "forward", step, micro batch). The context also carries
/// `domain_id` of the batch and one BalanceState per step. SIGINT, SIGTERM and SIGUSR1 finish the
/// step, save and return with `stopped`. A gradient that overflows under fp16 is skipped and
/// counted, and halves the loss scale; it counts towards the error only once the scale is down
/// to 1. Errors: three non-finite steps in a row (step, uris; bad_batch.json in the run folder); a
/// resume with another config, data or seed; a damaged checkpoint; a full disk; a model that is
/// elsewhere than `setup.device`.
TrainResult train(Task& task, Module& model, const TrainSetup& setup);

}  // namespace switchyard
