#include "domains/diffusion/batch.h"

#include <ATen/ops/stack.h>

#include <cstdio>

#include "core/base/text.h"

namespace switchyard {
namespace {

int64_t label_of(const Sample& sample, int64_t classes) {
  const auto found = sample.tensors.find("label");
  check(found != sample.tensors.end() && found->second.numel() == 1, sample.info.uri,
        "has no label");
  const int64_t label = found->second.item<int64_t>();
  check(label >= 0 && label < classes, sample.info.uri, "label: got ", label, ", expected 0 .. ",
        classes - 1);
  return label;
}

/// Appends images and closes the batch.
class Collator {
 public:
  explicit Collator(const ImageSourceData& data) : data_(data) { batch_->patch = data.patch; }

  void add(const Sample& sample, const std::string& uri, int64_t domain, const at::Tensor& z,
           double u, RandomStream noise) {
    check(z_.empty() || z.sizes() == z_.front().sizes(), sample.info.uri,
          "images of a batch differ: got ", to_text(z.sizes().vec()), ", expected ",
          to_text((z_.empty() ? z : z_.front()).sizes().vec()));
    z_.push_back(z);
    noise_.push_back(normal_tensor(z.sizes(), noise));
    u_.push_back(u);
    label_.push_back(
        label_of(sample, static_cast<int64_t>(data_.dataset->info().class_names.size())));
    condition_.push_back(data_.conditions[static_cast<size_t>(domain)]);
    batch_->uris.push_back(uri);
    batch_->groups.push_back(sample.info.group);
    batch_->domain_ids.push_back(data_.ids[static_cast<size_t>(domain)]);
  }
  std::unique_ptr<ImageBatch> finish() {
    batch_->z = at::stack(z_);
    batch_->noise = at::stack(noise_);
    batch_->u = at::tensor(u_, at::kDouble);
    batch_->label = at::tensor(label_, at::kLong);
    batch_->condition = at::tensor(condition_, at::kLong);
    return std::move(batch_);
  }

 private:
  const ImageSourceData& data_;
  std::unique_ptr<ImageBatch> batch_ = std::make_unique<ImageBatch>();
  std::vector<at::Tensor> z_, noise_;
  std::vector<double> u_;
  std::vector<int64_t> label_, condition_;
};

}  // namespace

void ImageBatch::to(at::Device device) {
  for (at::Tensor* tensor : {&z, &noise, &u}) *tensor = tensor->to(device);
}

at::Tensor ImageBatch::features() const {
  const int64_t batch = z.size(0), channels = z.size(1), g = grid();
  return z.cpu()
      .view({batch, channels, g, patch, g, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({batch * g * g, channels * patch * patch});
}

at::Tensor ImageBatch::labels() const { return label.repeat_interleave(tokens_per_image()); }

at::Tensor ImageBatch::places() const { return token_places(grid()).repeat({z.size(0), 1}); }

double even_time(int64_t i, int64_t times) {
  return (static_cast<double>(i) + .5) / static_cast<double>(times);
}

std::string visit_uri(const std::string& uri, int64_t i, int64_t times) {
  if (times == 1) return uri;
  char text[16];
  std::snprintf(text, sizeof text, "@t=%.3f", even_time(i, times));
  return uri + text;
}

std::unique_ptr<Batch> ImageTrainSource::next() {
  Collator collator(data_);
  for (int64_t j = 0; j < images_; ++j) {
    const Draw draw{data_.seed, 0, batch_ * images_ + j};
    const auto [domain, pick] = data_.index.draw(draw);
    const Sample sample = data_.dataset->get(pick, draw);
    collator.add(sample, sample.info.uri, domain, data_.input.train(sample, draw.stream("input")),
                 draw.stream("time").uniform(), draw.stream("noise"));
  }
  ++batch_;
  return collator.finish();
}

std::unique_ptr<Batch> ImageTestSource::next() {
  if (batch_ >= static_cast<int64_t>(data_.index.samples().size())) return nullptr;
  const auto [domain, pick] = data_.index.samples()[static_cast<size_t>(batch_++)];
  const Draw draw{data_.seed, 0, pick};
  const Sample sample = data_.dataset->get(pick, draw);
  const at::Tensor z = data_.input.whole(sample);
  Collator collator(data_);
  for (int64_t i = 0; i < times_; ++i) {
    const double u = even_time(i, times_);
    collator.add(sample, visit_uri(sample.info.uri, i, times_), domain, z, u,
                 draw.stream("noise").child("time", uint64_t(i)));
  }
  return collator.finish();
}

}  // namespace switchyard
