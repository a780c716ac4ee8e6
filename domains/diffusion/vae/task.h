#pragma once

#include "core/base/registry.h"
#include "domains/diffusion/image_data_task.h"
#include "domains/diffusion/vae/autoencoder_kl.h"
#include "domains/diffusion/vae/loss.h"

namespace switchyard {

struct AutoencoderTaskParams : ImageDataParams {
  VaeLossParams loss;
  static void declare(Fields<AutoencoderTaskParams>& f);
};

/// Trains a KL-VAE on pictures. A token is a latent pixel.
class AutoencoderTask : public ImageDataTask {
 public:
  /// `root`: the resolved config; reads nodes seed, dataset and model besides its own. Errors: a
  /// model that is no kl_vae, latents as input.
  AutoencoderTask(const AutoencoderTaskParams& params, const ConfigNode& root);

  /// Errors: pictures of other channels, or sides that the model's factor does not divide.
  std::unique_ptr<Module> build_model() override;
  /// The reconstruction of a draw of the posterior; the context gets kl_weight x divergence.
  at::Tensor loss(Module& model, Batch& batch, ForwardContext& context) override;
  /// From the posteriors' means. Outputs: outputs() of the squared error per image, mean over
  /// channels and pixels in -1 .. 1; image and reconstruction [S, C, H, W] u8.
  Outputs predict(Module& model, Batch& batch, ForwardContext& context) override;
  std::vector<std::string> metrics() const override { return {"mse@reconstruction"}; }

 private:
  int64_t channels() const override { return model_.in_channels; }
  int64_t patch() const override { return model_.factor(); }

  VaeParams model_;
  VaeLossParams loss_;
};

void register_autoencoder_task(Registry<Task, const ConfigNode&>& tasks);

}  // namespace switchyard
