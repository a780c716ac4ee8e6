#include "domains/diffusion/vae/task.h"

#include "datasets/image/normalize.h"
#include "domains/diffusion/vae/bare_vae.h"

namespace switchyard {

void AutoencoderTaskParams::declare(Fields<AutoencoderTaskParams>& f) {
  declare_data(f);
  f.node("loss", &AutoencoderTaskParams::loss, "reconstruction and divergence");
}

AutoencoderTask::AutoencoderTask(const AutoencoderTaskParams& params, const ConfigNode& root)
    : ImageDataTask(params, root, /*times=*/1),
      model_(vae_params(root.at("model"))),
      loss_(params.loss) {
  check(!input().latents(), "task.input.source", "got latent, expected image");
}

std::unique_ptr<Module> AutoencoderTask::build_model() {
  const at::Tensor image = input().whole(dataset().get(0, {}));
  const int64_t channels = image.size(0), side = image.size(1);
  check(model_.in_channels == channels && model_.out_channels == channels, "model",
        "does not fit the data: got in_channels ", model_.in_channels, " and out_channels ",
        model_.out_channels, ", expected ", channels);
  check(side % patch() == 0, "model.block_out_channels", "does not fit the data: got sides of ",
        side, ", expected a multiple of 2^(levels - 1) = ", patch());
  auto model = std::make_unique<AutoencoderKl>(model_);
  init_parameters(*model, seed());
  return model;
}

at::Tensor AutoencoderTask::loss(Module& model, Batch& batch, ForwardContext& context) {
  const auto& vae = dynamic_cast<AutoencoderKl&>(model);
  const at::Tensor& image = dynamic_cast<ImageBatch&>(batch).z;
  const VaePosterior posterior(vae.encode(image));
  const auto noise = normal_tensor(posterior.mode().sizes(), context.random.child("posterior"));
  const auto reconstruction = vae.decode(posterior.sample(noise.to(image.device())));
  const VaeLoss loss = vae_loss(loss_, reconstruction, image, posterior);
  context.add_loss("kl", loss_.kl_weight * loss.kl);
  return loss.reconstruction;
}

Outputs AutoencoderTask::predict(Module& model, Batch& batch, ForwardContext&) {
  const auto& vae = dynamic_cast<AutoencoderKl&>(model);
  const auto& images = dynamic_cast<ImageBatch&>(batch);
  const auto reconstruction =
      vae.decode(VaePosterior(vae.encode(images.z)).mode()).to(images.z.scalar_type());
  Outputs out = outputs(images, (reconstruction - images.z).square().flatten(1).mean(1));
  out.tensors["image"] = to_uint8(images.z.cpu(), "dit");
  out.tensors["reconstruction"] = to_uint8(reconstruction.cpu(), "dit");
  return out;
}

void register_autoencoder_task(Registry<Task, const ConfigNode&>& tasks) {
  if (tasks.find("autoencoder")) return;
  tasks.add<AutoencoderTaskParams>("autoencoder", "a KL-VAE on pictures",
                                   [](const AutoencoderTaskParams& params, const ConfigNode& root) {
                                     return std::make_unique<AutoencoderTask>(params, root);
                                   });
}

}  // namespace switchyard
