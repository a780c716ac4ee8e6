#pragma once
// Images with their noise and times. All draws of an image come with it, so that a step is a pure
// function of the source's position.

#include "core/train/task.h"
#include "datasets/domain_index.h"
#include "domains/diffusion/image_input.h"
#include "domains/diffusion/model/embedders.h"

namespace switchyard {

struct ImageBatch : Batch {
  at::Tensor z, noise;   ///< [B, C, S, S] f32: clean images or latents, standard normal draws
  at::Tensor u;          ///< [B] f64 in (0, 1): time, as Objective reads it
  at::Tensor label;      ///< [B] i64, on the CPU
  at::Tensor condition;  ///< [B] i64 domain as the model numbers it, on the CPU
  int64_t patch = 1;     ///< side of a token

  void to(at::Device device) override;
  int64_t tokens() const override { return z.size(0) * tokens_per_image(); }
  /// The clean patches, as pixels or latents.
  at::Tensor features() const override;
  /// That of its image.
  at::Tensor labels() const override;
  /// Column and row.
  at::Tensor places() const override;
  at::Tensor times() const override { return u.to(at::kFloat); }
  int64_t tokens_per_image() const { return grid() * grid(); }
  int64_t grid() const { return z.size(2) / patch; }
};

/// What both sources draw from.
struct ImageSourceData {
  std::shared_ptr<const Dataset> dataset;
  DomainIndex index;
  std::vector<int64_t> ids;         ///< of every domain of the index: its number in the task's list
  std::vector<int64_t> conditions;  ///< of every domain of the index: its number for the model
  ImageInput input;
  int64_t patch;
  uint64_t seed;
};

/// Endless: `images` a batch, image j from domain j mod D, drawn at random with replacement.
class ImageTrainSource : public BatchSource {
 public:
  ImageTrainSource(ImageSourceData data, int64_t images)
      : data_(std::move(data)), images_(images) {}
  std::unique_ptr<Batch> next() override;
  int64_t state() const override { return batch_; }
  void restore(int64_t batches) override { batch_ = batches; }

 private:
  ImageSourceData data_;
  int64_t images_, batch_ = 0;
};

/// Finite: one image a batch, at `times` evenly spread times, a sequence each.
class ImageTestSource : public BatchSource {
 public:
  ImageTestSource(ImageSourceData data, int64_t times) : data_(std::move(data)), times_(times) {}
  std::unique_ptr<Batch> next() override;
  int64_t state() const override { return batch_; }
  void restore(int64_t batches) override { batch_ = batches; }

 private:
  ImageSourceData data_;
  int64_t times_, batch_ = 0;
};

/// The i-th of `times` evenly spread times: (i + 1/2) / times.
double even_time(int64_t i, int64_t times);
/// Name of that visit of an image: "URI@t=0.125", or URI where there is but one.
std::string visit_uri(const std::string& uri, int64_t i, int64_t times);

}  // namespace switchyard
