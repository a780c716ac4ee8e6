#include "domains/registry.h"

#include "domains/diffusion/golden.h"
#include "domains/diffusion/model/bare_dit.h"
#include "domains/diffusion/task.h"
#include "domains/diffusion/vae/bare_vae.h"
#include "domains/diffusion/vae/task.h"
#include "domains/point_cloud/model/bare_segmentor.h"
#include "domains/point_cloud/register.h"

namespace switchyard {

Registry<Task, const ConfigNode&>& tasks() {
  static Registry<Task, const ConfigNode&> registry("task");
  return registry;
}

std::map<std::string, BareModel>& bare_models() {
  static std::map<std::string, BareModel> models;
  return models;
}

void register_domains() {
  register_point_cloud(tasks());
  register_image_task(tasks());
  register_autoencoder_task(tasks());
  register_diffusion_golden();
  bare_models()["ptv3"] = bare_segmentor;
  bare_models()["dit"] = bare_dit;
  bare_models()["kl_vae"] = [](const ConfigNode& model, const NamedTensors&) {
    return bare_vae(model);
  };
}

}  // namespace switchyard
