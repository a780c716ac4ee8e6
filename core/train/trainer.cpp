#include "core/train/trainer.h"

#include "core/train/runtime.h"
#include "core/train/train_loop.h"

namespace switchyard {

void TrainerParams::declare(Fields<TrainerParams>& f) {
  f.add("max_steps", &TrainerParams::max_steps, "optimizer steps", at_least(1));
  f.add("stop_after", &TrainerParams::stop_after,
        "save and end when this step is done; 0: at max_steps", at_least(0));
  f.add("accumulate", &TrainerParams::accumulate, "batches per step", at_least(1));
  f.add("clip_norm", &TrainerParams::clip_norm, "limit of the global gradient norm; 0: none",
        at_least(0));
  f.add("precision", &TrainerParams::precision, "of the forward pass; weights stay fp32",
        Choices{{"fp32", "bf16", "fp16"}});
  f.add("ema_decay", &TrainerParams::ema_decay, "decay of the weight average; 0: none",
        between(0, 0.99999999));
  f.node("ema_warmup", &TrainerParams::ema_warmup, "how the decay of the average grows");
  f.add("checkpoint_every", &TrainerParams::checkpoint_every, "steps; 0: only at the end",
        at_least(0));
  f.add("keep_last", &TrainerParams::keep_last, "checkpoints to keep besides the best",
        at_least(1));
  f.add("eval_every", &TrainerParams::eval_every, "steps; 0: never", at_least(0));
  f.add("best_metric", &TrainerParams::best_metric,
        "evaluation value that marks the best checkpoint; empty: none");
  f.add("best_mode", &TrainerParams::best_mode, "which value is best", Choices{{"max", "min"}});
  f.add("log_every", &TrainerParams::log_every, "steps between rows of the log", at_least(1));
  f.add("threads", &TrainerParams::threads, "compute threads; 0: as the machine gives",
        at_least(0));
  f.add("deterministic", &TrainerParams::deterministic, "only operations that repeat bit for bit");
  f.add("prefetch", &TrainerParams::prefetch, "build batches on a thread of their own");
  f.add("overfit", &TrainerParams::overfit, "train on the first N batches again and again; 0: off",
        at_least(0));
  f.add("dry_run", &TrainerParams::dry_run, "one step, no file written");
  f.add("tensorboard", &TrainerParams::tensorboard, "write event files for TensorBoard to tb/");
  f.add("step_times", &TrainerParams::step_times, "print the five costliest parts at the end");
}

TrainResult train(Task& task, Module& model, const TrainSetup& setup) {
  init_runtime(setup.trainer.threads, setup.trainer.deterministic);
  return TrainLoop(task, model, setup).run();
}

}  // namespace switchyard
