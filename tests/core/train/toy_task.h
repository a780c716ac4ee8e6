#pragma once
// A regression task small enough to train in milliseconds: three domains in every batch, a buffer,
// an auxiliary loss and noise from the context's stream, so that every kind of state is exercised.

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tanh.h>

#include <chrono>
#include <thread>

#include "core/nn/linear.h"
#include "core/train/load_weights.h"
#include "core/train/trainer.h"

namespace switchyard::test {

struct ToyBatch : Batch {
  at::Tensor x_SC, y_S1;
  void to(at::Device device) override {
    x_SC = x_SC.to(device);
    y_S1 = y_S1.to(device);
  }
  int64_t tokens() const override { return x_SC.size(0); }
  at::Tensor features() const override { return x_SC; }
  at::Tensor labels() const override { return {}; }
  at::Tensor places() const override { return {}; }
};

struct ToySource : BatchSource {
  int64_t position = 0;
  int64_t fail_at = -1;
  std::unique_ptr<Batch> next() override {
    check(position != fail_at, "toy://broken", "cannot read");
    RandomStream stream(7, "toy", static_cast<uint64_t>(position));
    auto batch = std::make_unique<ToyBatch>();
    batch->x_SC = at::empty({6, 4});
    batch->y_S1 = at::empty({6, 1});
    for (int64_t s = 0; s < 6; ++s) {
      float sum = 0;
      for (int64_t c = 0; c < 4; ++c) {
        const auto value = static_cast<float>(stream.normal());
        batch->x_SC.data_ptr<float>()[s * 4 + c] = value;
        sum += value;
      }
      batch->y_S1.data_ptr<float>()[s] = sum + static_cast<float>(s % 3);
      batch->uris.push_back(cat("toy://", position, "/", s));
      batch->groups.push_back("room");
      batch->domain_ids.push_back(s % 3);
    }
    ++position;
    return batch;
  }
  int64_t state() const override { return position; }
  void restore(int64_t batches) override { position = batches; }
};

struct ToyModel : Module {
  ToyModel()
      : first(emplace_child<Linear>("block", 4, 16)),
        last(emplace_child<Linear>("head", 16, 1)),
        mean(add_buffer("mean", at::zeros({4}))) {}
  at::Tensor forward(const at::Tensor& x_SC, ForwardContext& context) {
    auto hidden = at::tanh(first.forward(x_SC));
    if (context.training) {
      at::NoGradGuard no_grad;
      mean.mul_(.9).add_(x_SC.mean(0), .1);
      hidden = hidden * (1 + .1 * context.random.child("noise").normal());
    }
    return last.forward(hidden);
  }
  Linear &first, &last;
  at::Tensor& mean;
};

struct ToyTask : Task {
  std::vector<int64_t> bad_calls;  ///< calls of loss() that give NaN
  int64_t calls = 0, fail_at = -1;
  std::chrono::milliseconds pause{0};
  std::unique_ptr<Module> build_model() override {
    auto model = std::make_unique<ToyModel>();
    init_parameters(*model, 3);
    return model;
  }
  std::unique_ptr<BatchSource> source(const std::string&) override {
    auto source = std::make_unique<ToySource>();
    source->fail_at = fail_at;
    return source;
  }
  at::Tensor loss(Module& model, Batch& batch, ForwardContext& context) override {
    std::this_thread::sleep_for(pause);
    auto& toy = dynamic_cast<ToyBatch&>(batch);
    auto y_S1 = dynamic_cast<ToyModel&>(model).forward(toy.x_SC, context).to(at::kFloat);
    context.add_loss("size", y_S1.square().mean() * .01);
    context.report("toy/first", toy.x_SC[0][0].item<double>());
    const auto error = (y_S1 - toy.y_S1).square().mean();
    const bool bad = std::find(bad_calls.begin(), bad_calls.end(), calls++) != bad_calls.end();
    return bad ? error * std::numeric_limits<float>::quiet_NaN() : error;
  }
  Outputs predict(Module&, Batch&, ForwardContext&) override { return {}; }
  std::vector<std::string> metrics() const override { return {}; }
  std::vector<std::string> domain_names() const override { return {"a", "b", "c"}; }
  std::vector<std::string> seen_domains() const override { return {"a", "b", "c"}; }
  std::vector<std::string> class_names() const override { return {}; }
  std::vector<std::string> channel_names() const override { return {}; }
  std::vector<SequenceInfo> sequences(const std::string&) override { return {}; }
  std::string data_hash() const override { return "toy-1"; }
  std::string data_source() const override { return "toy"; }
  bool synthetic() const override { return true; }
};

inline TrainSetup toy_setup(const std::filesystem::path& folder) {
  TrainSetup setup;
  setup.trainer.max_steps = 40;
  setup.trainer.log_every = 1;
  setup.optimizer.lr = .02;
  setup.schedule.type = "one_cycle";
  setup.seed = 11;
  setup.run_folder = folder;
  setup.show_progress = false;
  return setup;
}

inline TrainResult run_toy(const TrainSetup& setup, ToyTask task = {}) {
  auto model = task.build_model();
  return train(task, *model, setup);
}

}  // namespace switchyard::test
