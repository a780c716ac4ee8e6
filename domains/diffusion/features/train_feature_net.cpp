#include "domains/diffusion/features/train_feature_net.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <cmath>

#include "core/base/random.h"
#include "core/train/optimizer.h"
#include "core/train/schedule.h"

namespace switchyard {
namespace {

constexpr int64_t kEvaluationBatch = 256, kLeastSide = 8;

at::Tensor draw_rows(int64_t images, int64_t count, RandomStream stream) {
  std::vector<int64_t> rows(static_cast<size_t>(count));
  for (int64_t& row : rows) row = stream.below(images);
  return at::tensor(rows, at::kLong);
}

at::Device device_of(const Module& module) { return module.parameters().front().device(); }

}  // namespace

void FeatureNetParams::declare(Fields<FeatureNetParams>& f) {
  f.add("seed", &FeatureNetParams::seed, "of weights and batches", at_least(0));
  f.add("steps", &FeatureNetParams::steps, "training steps", at_least(1));
  f.add("batch", &FeatureNetParams::batch, "images of a step", at_least(1));
  f.add("lr", &FeatureNetParams::lr, "peak learning rate of AdamW", at_least(0));
}

void check_labelled(const LabelledImages& data, int64_t classes, const std::string& where) {
  check_images(data.images_NCHW, where);
  const at::Tensor& images = data.images_NCHW;
  check(std::min(images.size(2), images.size(3)) >= kLeastSide, where, "images: got ",
        images.size(2), " x ", images.size(3), ", expected sides of at least ", kLeastSide);
  check(data.label_N.scalar_type() == at::kLong && data.label_N.dim() == 1 &&
            data.label_N.size(0) == images.size(0),
        where, "labels: got ", to_text(data.label_N.sizes().vec()), " for ", images.size(0),
        " images, expected one i64 each");
  const auto low = data.label_N.min().item<int64_t>(), high = data.label_N.max().item<int64_t>();
  check(low >= 0 && high < classes, where, "labels: got ", low, " to ", high, ", expected 0 to ",
        classes - 1);
}

void train_feature_net(FeatureNet& net, const LabelledImages& data,
                       const FeatureNetParams& params) {
  init_parameters(net, static_cast<uint64_t>(params.seed), "feature_net");
  AdamWParams adamw;
  adamw.lr = params.lr;
  ScheduleParams cosine;
  cosine.type = "cosine";
  AdamW optimizer(net, adamw);
  const Schedule schedule(cosine, params.steps);
  const at::Device device = device_of(net);
  for (int64_t step = 0; step < params.steps; ++step) {
    const RandomStream stream(static_cast<uint64_t>(params.seed), "feature_net", uint64_t(step));
    const at::Tensor rows = draw_rows(data.label_N.size(0), params.batch, stream);
    const auto of = [&](const at::Tensor& all) { return all.index_select(0, rows).to(device); };
    const at::Tensor loss =
        at::cross_entropy_loss(net.forward(of(data.images_NCHW)).logits, of(data.label_N));
    check(std::isfinite(loss.item<double>()), "feature net", "the loss at step ", step,
          " is not finite: lower lr, got ", params.lr);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(schedule.at(step).lr_factor);
  }
}

double accuracy(const FeatureNet& net, const LabelledImages& data) {
  at::NoGradGuard no_grad;
  const at::Device device = device_of(net);
  int64_t right = 0;
  for (int64_t i = 0; i < data.label_N.size(0); i += kEvaluationBatch) {
    const auto of = [&](const at::Tensor& all) {
      return all.slice(0, i, i + kEvaluationBatch).to(device);
    };
    right += (net.forward(of(data.images_NCHW)).logits.argmax(1) == of(data.label_N))
                 .sum()
                 .item<int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(data.label_N.size(0));
}

}  // namespace switchyard
