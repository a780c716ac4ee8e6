#pragma once
// Class-conditional image generation, in pixels or latents, on data of several styles.

#include "core/base/registry.h"
#include "datasets/domain_plan.h"
#include "domains/diffusion/batch.h"
#include "domains/diffusion/model/dit.h"
#include "domains/diffusion/objective.h"

namespace switchyard {

struct ImageTaskParams {
  std::vector<std::string> train_domains, test_domains, left_out;
  std::string train_split = "train", test_split = "test";
  int64_t images = 64, eval_times = 4;
  ImageInputParams input;
  ConfigNode objective, sampler;
  static void declare(Fields<ImageTaskParams>& f);
};

class ImageTask : public Task, public Generator {
 public:
  /// `root`: the resolved config; reads nodes seed, dataset and model besides its own.
  ImageTask(const ImageTaskParams& params, const ConfigNode& root);

  std::unique_ptr<Module> build_model() override;
  /// Splits: train and test.
  std::unique_ptr<BatchSource> source(const std::string& split) override;
  std::vector<SequenceInfo> sequences(const std::string& split) override;
  at::Tensor loss(Module& model, Batch& batch, ForwardContext& context) override;
  /// Outputs: num and den [S, classes] (loss and count in the column of the image's class), coord
  /// [T, 2], label [T], seq_offset [S+1], and image [S, C, H, W] u8 where pixels are modelled.
  Outputs predict(Module& model, Batch& batch, ForwardContext& context) override;
  std::vector<std::string> metrics() const override { return {"loss@" + objective_->name()}; }
  Generator* generator() override { return this; }
  /// Pictures of items' classes in their domains' styles; an unseen domain is without a style.
  /// Errors: latents, which need their VAE.
  at::Tensor generate(Module& model, const std::vector<Item>& items, uint64_t seed,
                      at::Device device, const Prepare& prepare = {}) override;
  Examples examples(int64_t domain, const std::string& split) override;
  at::Tensor places() const override;

  std::vector<std::string> domain_names() const override { return params_.test_domains; }
  std::vector<std::string> seen_domains() const override { return plan_.seen(); }
  std::vector<std::string> class_names() const override { return dataset_->info().class_names; }
  std::vector<std::string> channel_names() const override;
  std::vector<std::string> domain_readers() const override;
  std::string data_hash() const override { return dataset_->info().hash; }
  std::string data_source() const override { return dataset_->info().source; }
  bool synthetic() const override { return dataset_->info().synthetic; }

 private:
  /// The model's parameters with what the data say.
  DitParams dit_params() const;
  ImageSourceData source_data(DomainIndex index, std::vector<int64_t> ids,
                              const std::vector<DomainSpec>& specs) const;
  /// Number of a domain for the model; the null domain where training had none of it.
  int64_t condition_of(const std::string& domain) const;
  std::vector<std::string> trained_names() const;
  /// The network for a set of items, row by row with or without their conditions.
  ConditionalNetwork network(Module& model, const std::vector<Item>& items,
                             const Prepare& prepare) const;
  Denoiser denoiser(Module& model, const ImageBatch& batch, ForwardContext& context) const;

  ImageTaskParams params_;
  DomainPlan plan_;
  ConfigNode model_node_;
  uint64_t seed_;
  std::shared_ptr<const Dataset> dataset_;
  ImageInput input_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<Sampler> sampler_;
};

void register_image_task(Registry<Task, const ConfigNode&>& tasks);

}  // namespace switchyard
