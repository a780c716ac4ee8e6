#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "apps/model_run.h"
#include "apps/verbs.h"
#include "core/base/step_timer.h"
#include "core/io/json.h"
#include "core/train/autocast.h"
#include "core/train/runtime.h"

namespace switchyard {
namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Timing {
  std::string name;
  std::vector<double> wall, cpu;
};

double minimum(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// One model with its own optimizer that repeats full training steps on the same batches.
class Contender {
 public:
  Contender(const RunConfig& base, const std::string& backend)
      : run_(parse_run(with_backend(base.node, backend), base.overrides)),
        task_(make_task(run_)),
        model_(task_->build_model()),
        timing_{backend, {}, {}} {
    model_->to(parse_device(run_.device), at::kFloat);
    optimizer_ = std::make_unique<AdamW>(*model_, run_.optimizer);
    source_ = task_->source("train");
  }

  /// Data, forward, backward, clipping, update.
  void step() {
    auto batch = [&] {
      TimedScope scope("data");
      return source_->next();
    }();
    batch->to(parse_device(run_.device));
    ForwardContext context;
    context.training = true;
    context.random = RandomStream(uint64_t(run_.seed), "forward", uint64_t(steps_++));
    optimizer_->zero_grad();
    at::Tensor loss = [&] {
      const AutocastScope autocast(parse_device(run_.device), forward_type(run_.trainer.precision));
      return task_->loss(*model_, *batch, context);
    }();
    for (const auto& [name, value] : context.losses()) loss = loss + value;
    {
      TimedScope scope("backward");
      loss.backward();
    }
    TimedScope scope("optimizer");
    optimizer_->step(1, {}, clip_factor(optimizer_->grad_norm(), run_.trainer.clip_norm));
  }
  void timed_step() {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    step();
    synchronize();
    timing_.wall.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    timing_.cpu.push_back(cpu_seconds() - cpu);
  }
  const Timing& timing() const { return timing_; }

 private:
  /// Waits for the device by reading a value back.
  void synchronize() const { model_->parameters().front().flatten()[0].item<double>(); }

  RunConfig run_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<Module> model_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<BatchSource> source_;
  int64_t steps_ = 0;
  Timing timing_;
};

void print_timing(const Timing& t) {
  std::printf("%-10s minimum %.3f s, median %.3f s, CPU %.3f s a step\n", t.name.c_str(),
              minimum(t.wall), median(t.wall), median(t.cpu));
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
          {"cpu_s", median(t.cpu)}};
}

constexpr int kTableSteps = 10;

int run_bench(const Arguments& args) {
  const RunConfig run = compose_run(args.overrides);
  init_runtime(run.trainer.threads, run.trainer.deterministic);
  Contender fast(run, "fast"), reference(run, "reference");
  for (int i = 0; i < 3; ++i) {
    fast.step();
    reference.step();
  }
  print_load();
  for (int64_t i = 0; i < run.bench.repeats; ++i) {  // A-B-A-B
    fast.timed_step();
    reference.timed_step();
  }
  print_timing(fast.timing());
  print_timing(reference.timing());
  std::printf("fast / reference: minimum %.2f, median %.2f\n",
              minimum(fast.timing().wall) / minimum(reference.timing().wall),
              median(fast.timing().wall) / median(reference.timing().wall));
  print_load();
  StepTimer timer;
  {
    StepTimerInstall install(&timer);
    for (int i = 0; i < kTableSteps; ++i) fast.step();
  }
  std::printf("%s", timer.table(kTableSteps).c_str());
  if (args.has("json")) {
    write_json(args.value("json"),
               {{"device", run.device},
                {"repeats", run.bench.repeats},
                {"results", {timing_json(fast.timing()), timing_json(reference.timing())}}});
  }
  return 0;
}

}  // namespace

Verb bench_verb() {
  return {"bench",
          "time training steps against the plain reference backend in the same run",
          "[overrides...]",
          "switchyard bench experiment=point_cloud/scan_demo data.root=data/scan_demo",
          {{"json", "write the timings to this file", true}},
          run_bench};
}

}  // namespace switchyard
