#include <ATen/core/grad_mode.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "apps/bench_moe.h"
#include "apps/model_run.h"
#include "apps/verbs.h"
#include "core/base/op_timer.h"
#include "core/io/json.h"
#include "core/train/autocast.h"
#include "core/train/batch_feed.h"
#include "core/train/runtime.h"

namespace switchyard {
namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double minimum(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Timing {
  std::string name;
  std::vector<double> wall, cpu;
  int64_t tokens = 0, peak_memory = 0;
};

/// One model with its own optimizer that repeats a training step, or a forward pass without
/// gradients.
class Contender {
 public:
  Contender(const RunConfig& base, const std::string& backend, bool train)
      : run_(parse_run(with_backend(base.node, backend), base.overrides)),
        device_(parse_device(run_.device)),
        task_(make_task(run_)),
        model_(task_->build_model()),
        train_(train),
        timing_{backend, {}, {}} {
    model_->to(device_, at::kFloat);
    model_->train(train);
    optimizer_ = std::make_unique<AdamW>(*model_, run_.optimizer);
    feed_ = std::make_unique<BatchFeed>(task_->source("train"), run_.trainer.prefetch);
  }

  void step() {
    auto batch = [&] {
      TimedScope scope("data");
      return feed_->next().batch;
    }();
    batch->to(device_);
    timing_.tokens = batch->tokens();
    train_ ? update(*batch) : infer(*batch);
  }
  void timed_step() {
    take_peak_memory(device_);
    const auto begin = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    step();
    synchronize(device_);
    timing_.wall.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    timing_.cpu.push_back(cpu_seconds() - cpu);
    timing_.peak_memory = std::max(timing_.peak_memory, take_peak_memory(device_));
  }
  const Timing& timing() const { return timing_; }
  at::Device device() const { return device_; }

 private:
  ForwardContext context() {
    ForwardContext out;
    out.training = train_;
    out.random = RandomStream(uint64_t(run_.seed), "forward", uint64_t(steps_++));
    return out;
  }

  void infer(Batch& batch) {
    const at::NoGradGuard no_grad;
    const AutocastScope autocast(device_, forward_type(run_.trainer.precision));
    auto pass = context();
    task_->predict(*model_, batch, pass);
  }

  /// Forward, backward, clipping, update.
  void update(Batch& batch) {
    auto pass = context();
    optimizer_->zero_grad();
    at::Tensor loss = [&] {
      const AutocastScope autocast(device_, forward_type(run_.trainer.precision));
      return task_->loss(*model_, batch, pass);
    }();
    for (const auto& [name, value] : pass.losses()) loss = loss + value;
    {
      TimedScope scope("backward");
      loss.backward();
    }
    TimedScope scope("optimizer");
    optimizer_->step(1, {}, clip_factor(optimizer_->grad_norm(), run_.trainer.clip_norm));
  }

  RunConfig run_;
  at::Device device_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<Module> model_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<BatchFeed> feed_;
  bool train_;
  int64_t steps_ = 0;
  Timing timing_;
};

void print_timing(const Timing& t) {
  std::printf("%-10s minimum %.3f s, median %.3f s, CPU %.3f s, %.0f tokens/s, %.2f GB peak\n",
              t.name.c_str(), minimum(t.wall), median(t.wall), median(t.cpu),
              double(t.tokens) / median(t.wall), 1e-9 * double(t.peak_memory));
}

void print_load() {
  double load[3] = {0, 0, 0};
  ::getloadavg(load, 3);
  std::printf("load average %.2f %.2f %.2f\n", load[0], load[1], load[2]);
}

Json timing_json(const Timing& t) {
  return {{"backend", t.name},
          {"minimum_s", minimum(t.wall)},
          {"median_s", median(t.wall)},
          {"cpu_s", median(t.cpu)},
          {"tokens_per_s", double(t.tokens) / median(t.wall)},
          {"peak_bytes", t.peak_memory}};
}

constexpr int64_t kWarmUpSteps = 3, kTableSteps = 10, kTableRows = 24;

/// Where the steps of a contender go: by part, then by tensor operator.
void print_tables(Contender& contender, int64_t repeats) {
  const int64_t steps = std::min(kTableSteps, repeats);
  const auto drain = [device = contender.device()] { synchronize(device); };
  StepTimer parts(drain);
  {
    StepTimerInstall install(&parts);
    for (int64_t i = 0; i < steps; ++i) contender.step();
  }
  std::printf("%s", parts.table(steps, kTableRows).c_str());
  StepTimer operators;
  {
    const OpTimer timer(drain);
    for (int64_t i = 0; i < steps; ++i) contender.step();
    operators = timer.total();
  }
  std::printf("%s", operators.table(steps, kTableRows).c_str());
}

/// What the second contender takes, over the first.
void print_ratio(const Timing& first, const Timing& second) {
  std::printf("%s / %s: minimum %.2f, median %.2f\n", first.name.c_str(), second.name.c_str(),
              minimum(first.wall) / minimum(second.wall), median(first.wall) / median(second.wall));
}

/// Times the backends in turn and prints what was found.
Json compare(const RunConfig& run, bool train) {
  std::vector<std::unique_ptr<Contender>> contenders;
  for (const auto& backend : run.bench.backends)
    contenders.push_back(std::make_unique<Contender>(run, backend, train));
  for (int64_t i = 0; i < kWarmUpSteps; ++i)
    for (auto& contender : contenders) contender->step();
  std::printf("%s\n", train ? "training step" : "inference");
  print_load();
  for (int64_t i = 0; i < run.bench.repeats; ++i)  // A-B-A-B
    for (auto& contender : contenders) contender->timed_step();
  Json timings = Json::array();
  for (const auto& contender : contenders) {
    print_timing(contender->timing());
    timings.push_back(timing_json(contender->timing()));
  }
  if (contenders.size() == 2) print_ratio(contenders[0]->timing(), contenders[1]->timing());
  print_load();
  print_tables(*contenders[0], run.bench.repeats);
  return timings;
}

int run_bench(const Arguments& args) {
  if (args.paths == std::vector<std::string>{"moe"}) return run_bench_moe(args);
  check(args.paths.empty(), "bench", "got '", join(args.paths), "'; valid: moe, or overrides");
  const RunConfig run = compose_run(args.overrides);
  check(!run.bench.backends.empty(), "bench.backends",
        "got none, expected fast, reference or both");
  for (const auto& backend : run.bench.backends)
    check_name("bench.backends", "backend", backend, {"fast", "reference"});
  init_runtime(run.trainer.threads, run.trainer.deterministic);
  const Json results = compare(run, /*train=*/true);
  const Json inference = compare(run, /*train=*/false);
  if (args.has("json")) {
    write_json(args.value("json"), {{"device", run.device},
                                    {"repeats", run.bench.repeats},
                                    {"results", results},
                                    {"inference", inference}});
  }
  return 0;
}

}  // namespace

Verb bench_verb() {
  std::vector<VerbFlag> flags = bench_moe_flags();
  flags.push_back({"json", "write the timings to this file", true});
  return {"bench",
          "time training steps and inference against the plain reference backends in the same run, "
          "or the MoE layer alone at fixed shapes",
          "[moe | overrides...]",
          "switchyard bench experiment=point_cloud/scan_demo data.root=data/scan_demo\n"
          "  switchyard bench moe --shape P0,Q1 --variant ours,loop",
          flags,
          run_bench};
}

}  // namespace switchyard
