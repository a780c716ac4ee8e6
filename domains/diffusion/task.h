#pragma once
// Class-conditional image generation, in pixels or latents, on data of several styles.

#include "core/base/registry.h"
#include "domains/diffusion/image_data_task.h"
#include "domains/diffusion/model/dit.h"
#include "domains/diffusion/objective.h"
#include "domains/diffusion/vae/latent_pictures.h"

namespace switchyard {

struct ImageTaskParams : ImageDataParams {
  int64_t eval_times = 4;
  ConfigNode objective, sampler;
  LatentPicturesParams vae;
  static void declare(Fields<ImageTaskParams>& f);
};

class ImageTask : public ImageDataTask, public Generator {
 public:
  /// `root`: the resolved config; reads nodes seed, dataset and model besides its own.
  ImageTask(const ImageTaskParams& params, const ConfigNode& root);

  std::unique_ptr<Module> build_model() override;
  at::Tensor loss(Module& model, Batch& batch, ForwardContext& context) override;
  /// Outputs: outputs() of the objective's loss, and image [S, C, H, W] u8 where pixels are
  /// modelled, or latents whose VAE is named.
  Outputs predict(Module& model, Batch& batch, ForwardContext& context) override;
  std::vector<std::string> metrics() const override { return {"loss@" + objective_->name()}; }
  Generator* generator() override { return this; }
  /// Pictures of items' classes in their domains' styles; an unseen domain is without a style.
  /// Errors: latents without their VAE (LatentPictures).
  at::Tensor generate(Module& model, const std::vector<Item>& items, uint64_t seed,
                      at::Device device, const Prepare& prepare = {}) override;
  /// Of latents: what their VAE makes of them.
  Examples examples(int64_t domain, const std::string& split) override;
  at::Tensor places() const override;
  std::vector<std::string> domain_readers() const override;

 private:
  int64_t channels() const override { return dit_params().in_channels; }
  int64_t patch() const override { return dit_params().patch_size; }
  /// The model's parameters with what the data say.
  DitParams dit_params() const;
  /// The network for a set of items, row by row with or without their conditions.
  ConditionalNetwork network(Module& model, const std::vector<Item>& items,
                             const Prepare& prepare) const;
  /// What the model sees, [B, C, S, S], as u8 on the CPU.
  at::Tensor pictures(const at::Tensor& z);
  Denoiser denoiser(Module& model, const ImageBatch& batch, ForwardContext& context) const;

  ConfigNode model_node_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<Sampler> sampler_;
  std::optional<LatentPictures> decoder_;  ///< of latents
};

void register_image_task(Registry<Task, const ConfigNode&>& tasks);

}  // namespace switchyard
