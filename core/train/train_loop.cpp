#include "core/train/train_loop.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "core/base/log.h"
#include "core/io/json.h"
#include "core/train/autocast.h"
#include "core/train/resume_check.h"
#include "core/train/run_folder.h"
#include "core/train/runtime.h"
#include "core/train/signals.h"

namespace switchyard {
namespace {

constexpr int64_t kMaxSkippedInARow = 3;

bool divides(int64_t every, int64_t step) { return every > 0 && step % every == 0; }

}  // namespace

TrainLoop::TrainLoop(Task& task, Module& model, const TrainSetup& setup)
    : task_(task),
      model_(model),
      setup_(setup),
      params_(setup.trainer),
      device_(parse_device(setup.device)),
      last_step_(params_.dry_run ? 1 : params_.max_steps),
      optimizer_(model, setup.optimizer),
      store_(setup.run_folder / "ckpt") {
  for (const at::Tensor& parameter : model.parameters()) {
    check(parameter.device().type() == device_.type(), "trainer",
          "the model is on another device: got ", parameter.device().str(), ", expected ",
          device_.str());
  }
  if (params_.ema_decay > 0) ema_.emplace(model, params_.ema_decay, params_.ema_warmup);
  if (params_.precision == "fp16") state_.loss_scaler.emplace();
  state_.threads = at::get_num_threads();
  state_.seed = setup.seed;
  state_.data_hash = task.data_hash();
  state_.config = setup.config;
  state_.overrides = setup.overrides;
  state_.provenance = full_provenance(setup);
  if (setup.resume) resume();
  ScheduleParams schedule = setup.schedule;
  if (setup.resume) schedule.total_steps = state_.total_steps;
  schedule_.emplace(schedule, params_.max_steps);
  state_.total_steps = schedule_->total_steps();
  if (params_.dry_run) last_step_ = state_.step + 1;
}

void TrainLoop::check_same_run(const TrainState& saved) const {
  if (!setup_.config.is_null()) check_resumed_config(saved.config, setup_.config);
  check(saved.seed == state_.seed, "resume", "seed cannot change: got ", state_.seed, ", expected ",
        saved.seed);
  check(saved.data_hash == state_.data_hash, "resume",
        "the data are not those of the run: got hash ", state_.data_hash, ", expected ",
        saved.data_hash);
  if (saved.threads != state_.threads) {
    log::warn("resume: ", state_.threads, " threads instead of ", saved.threads,
              "; results will differ in the last bits");
  }
}

void TrainLoop::resume() {
  const auto& chosen = setup_.resume_checkpoint;
  const auto folder = chosen.empty() ? store_.newest() : chosen;
  const TrainState saved = read_checkpoint(folder);
  check_same_run(saved);
  load_checkpoint(folder, parts());
  state_.step = saved.step;
  state_.source = saved.source;
  state_.total_steps = saved.total_steps;
  check(saved.loss_scaler.has_value() == state_.loss_scaler.has_value(), folder.string(),
        saved.loss_scaler ? "holds" : "lacks",
        " the state of a loss scaler: got trainer.precision ", params_.precision,
        "; only fp16 has one");
  state_.loss_scaler = saved.loss_scaler;
  state_.skipped = saved.skipped;
  state_.skipped_in_a_row = saved.skipped_in_a_row;
  state_.best_step = saved.best_step;
  state_.best_value = saved.best_value;
  if (!writes()) return;
  store_.start_from(saved.step);
  if (std::filesystem::exists(store_.at_step(saved.best_step))) store_.link_best(saved.best_step);
}

std::unique_ptr<BatchFeed> TrainLoop::make_feed() {
  auto source = task_.source("train");
  if (params_.overfit > 0)
    source = std::make_unique<RepeatedSource>(std::move(source), params_.overfit);
  source->restore(state_.source);
  return std::make_unique<BatchFeed>(std::move(source), params_.prefetch);
}

TrainResult TrainLoop::run() {
  if (at_end()) return {state_.step, false, {}};
  if (writes()) {
    prepare_run_folder(setup_, state_.data_hash);
    metrics_.emplace(setup_.run_folder, state_.step);
    if (params_.tensorboard) events_.emplace(setup_.run_folder, state_.step);
    timing_.emplace(setup_.run_folder / "timing.jsonl");
  }
  const SignalWatch signals;
  const StepTimerInstall timed(params_.step_times ? &timer_ : nullptr);
  const auto feed = make_feed();
  const int64_t first = state_.step;
  progress_.emplace(first, last_step_, setup_.show_progress);
  model_.train();
  bool stop = false;
  while (!at_end() && !stop) {
    step(*feed);
    const bool new_best = evaluate();
    stop = signals.requested() || state_.step == params_.stop_after;
    if (checkpoint_due(new_best, stop)) save();
  }
  progress_.reset();
  if (params_.step_times) std::fputs(timer_.table(state_.step - first).c_str(), stderr);
  return {state_.step, signals.requested() && !at_end(), last_};
}

void TrainLoop::step(BatchFeed& feed) {
  StepSums sums = forward_backward(feed);
  const ScheduleValue value = schedule_->at(state_.step);
  Metrics row = sums.values;
  if (state_.loss_scaler) row["loss_scale"] = loss_scale();
  const double norm = sums.finite ? optimizer_.grad_norm() / loss_scale() : NAN;
  finish_step(sums, norm, value);
  optimizer_.zero_grad();
  balance_.end_step();
  ++state_.step;
  row["lr"] = optimizer_.lr() * value.lr_factor;
  row["beta1"] = value.beta1.value_or(optimizer_.beta1());
  row["grad_norm"] = norm;
  row["skipped"] = static_cast<double>(state_.skipped);
  log(std::move(row), std::isfinite(norm));
}

void TrainLoop::finish_step(const StepSums& sums, double grad_norm, const ScheduleValue& value) {
  auto& scaler = state_.loss_scaler;
  const bool finite = std::isfinite(grad_norm);
  const bool overflow = !finite && sums.finite && scaler && scaler->can_back_off();
  finite ? update(grad_norm, value) : count_skipped(sums, overflow);
  if (scaler) scaler->update(finite);
}

TrainLoop::StepSums TrainLoop::forward_backward(BatchFeed& feed) {
  StepSums sums;
  for (int64_t micro = 0; micro < params_.accumulate; ++micro) {
    std::unique_ptr<Batch> batch;
    {
      TimedScope scope("data");
      BatchFeed::Item item = feed.next();
      batch = std::move(item.batch);
      state_.source = item.state;
      batch->to(device_);
    }
    sums.values["tokens"] += static_cast<double>(batch->tokens());
    if (sums.finite) micro_batch(*batch, micro, sums);
    sums.batches.push_back(std::move(batch));
  }
  return sums;
}

void TrainLoop::micro_batch(Batch& batch, int64_t micro, StepSums& sums) {
  ForwardContext context;
  context.training = true;
  context.random = RandomStream(static_cast<uint64_t>(setup_.seed), "forward",
                                static_cast<uint64_t>(state_.step), static_cast<uint64_t>(micro));
  context.balance = &balance_;
  context.domain_id = at::tensor(batch.domain_ids, at::kLong).to(device_);
  const double share = 1.0 / static_cast<double>(params_.accumulate);
  at::Tensor total;
  {
    TimedScope scope("forward");
    const AutocastScope autocast(device_, forward_type(params_.precision));
    total = task_.loss(model_, batch, context);
  }
  check(total.defined() && total.dim() == 0, "trainer", "the task's loss is not a scalar");
  sums.values["loss"] += share * total.item<double>();
  for (const auto& [name, value] : context.losses()) {
    sums.values["aux/" + name] += share * value.item<double>();
    total = total + value;
  }
  for (const auto& [name, value] : context.reports()) {
    double& largest = sums.values.try_emplace(name, value).first->second;
    if (!(value <= largest)) largest = value;  // NaN shows
  }
  const double number = total.item<double>();
  sums.values["total"] += share * number;
  sums.finite = std::isfinite(number);
  if (!sums.finite) return;
  TimedScope scope("backward");
  (total * (share * loss_scale())).backward();
}

void TrainLoop::update(double grad_norm, const ScheduleValue& value) {
  TimedScope scope("optimizer");
  optimizer_.step(value.lr_factor, value.beta1,
                  clip_factor(grad_norm, params_.clip_norm) / loss_scale());
  if (ema_) ema_->update(state_.step + 1);
  state_.skipped_in_a_row = 0;
}

void TrainLoop::count_skipped(const StepSums& sums, bool overflow) {
  ++state_.skipped;
  if (!overflow && ++state_.skipped_in_a_row >= kMaxSkippedInARow) give_up(sums);
  log::warn("step ", state_.step + 1, ": loss or gradient is not finite; step skipped (",
            state_.skipped, " so far)");
}

void TrainLoop::give_up(const StepSums& sums) {
  Json json = {{"step", state_.step + 1}, {"values", sums.values}, {"batches", Json::array()}};
  std::vector<std::string> uris;
  for (const auto& batch : sums.batches) {
    json["batches"].push_back({{"uris", batch->uris},
                               {"groups", batch->groups},
                               {"domain_ids", batch->domain_ids},
                               {"tokens", batch->tokens()}});
    uris.insert(uris.end(), batch->uris.begin(), batch->uris.end());
  }
  const auto path = setup_.run_folder / "bad_batch.json";
  if (writes()) write_json(path, json);
  fail("trainer", "loss or gradient is not finite in ", kMaxSkippedInARow,
       " steps in a row: got step ", state_.step + 1, " with ", join(uris),
       writes() ? "; the batch is described in " + path.string() : "");
}

void TrainLoop::log(Metrics row, bool finite) {
  const bool due = divides(params_.log_every, state_.step) || at_end() || !finite;
  progress_->update(state_.step, row["loss"], row["lr"], due);
  if (!due) return;
  if (writes()) write_row(row);
  if (timing_) {
    const double speed = progress_->speed(state_.step);
    const Json json = {
        {"step", state_.step}, {"seconds", progress_->seconds()}, {"steps_per_second", speed}};
    timing_->append(json.dump() + "\n");
  }
  last_ = std::move(row);
}

void TrainLoop::write_row(const Metrics& row) {
  metrics_->write(state_.step, row);
  if (events_) events_->write(state_.step, row);
}

bool TrainLoop::evaluate() {
  const bool due = divides(params_.eval_every, state_.step) || (params_.eval_every > 0 && at_end());
  if (!due || !setup_.evaluate || !writes()) return false;
  Metrics row;
  {
    TimedScope scope("evaluation");
    const EmaScope averaged(ema_ ? &*ema_ : nullptr);
    model_.train(false);
    for (const auto& [name, value] : setup_.evaluate(task_, model_, state_.step))
      row["eval/" + name] = value;
    model_.train(true);
  }
  write_row(row);
  for (const auto& [name, value] : row) last_[name] = value;
  if (params_.best_metric.empty()) return false;
  const auto found = row.find("eval/" + params_.best_metric);
  check(found != row.end(), "trainer.best_metric", "the evaluation has no such value: got '",
        params_.best_metric, "'");
  if (!std::isfinite(found->second)) return false;
  const double gain = (found->second - state_.best_value) * (params_.best_mode == "max" ? 1 : -1);
  if (state_.best_step >= 0 && !(gain > 0)) return false;
  state_.best_step = state_.step;
  state_.best_value = found->second;
  return true;
}

bool TrainLoop::checkpoint_due(bool new_best, bool stop) const {
  return writes() &&
         (new_best || stop || at_end() || divides(params_.checkpoint_every, state_.step));
}

void TrainLoop::save() {
  TimedScope scope("checkpoint");
  metrics_->sync();
  if (events_) events_->sync();
  save_checkpoint(store_.at_step(state_.step), state_, parts());
  if (state_.best_step == state_.step) store_.link_best(state_.step);
  store_.prune(params_.keep_last, state_.best_step);
}

}  // namespace switchyard
