#include <iostream>

#include "apps/run_config.h"
#include "apps/verbs.h"
#include "datasets/pack.h"
#include "datasets/registry.h"
#include "domains/diffusion/vae/latent_dataset.h"

namespace switchyard {
namespace {

/// The dataset that the overrides compose; with --vae its pictures as latents.
std::unique_ptr<Dataset> composed(const Arguments& args) {
  const ConfigNode config = config_composer().compose("config", args.overrides);
  auto dataset = datasets().make(config.at("dataset"), "dataset");
  if (!args.has("vae")) return dataset;
  LatentCodec codec = LatentCodec::open(args.value("vae"), config.at("model"));
  codec.to(at::Device(config.at("device").as_string("device")));
  return std::make_unique<LatentDataset>(std::move(dataset), std::move(codec));
}

int run_pack(const Arguments& args) {
  const std::string folder = args.path("the folder to write");
  const auto dataset = composed(args);
  if (args.has("if-changed") && is_packed(*dataset, folder)) {
    std::cout << folder << " holds these data already" << std::endl;
    return 0;
  }
  PackOptions options;
  options.verify = args.has("verify");
  if (args.has("vae")) options.transform = "latents";
  pack(*dataset, folder, options);
  std::cout << "packed " << dataset->size() << " samples into " << folder << std::endl;
  return 0;
}

}  // namespace

Verb pack_verb() {
  return {"pack",
          "turn any dataset into packed shards",
          "FOLDER dataset=OPTION [--vae PATH [model=OPTION moe=none]] [overrides...]",
          "switchyard pack data/scan_demo dataset=point_cloud/scan",
          {{"if-changed", "do nothing where FOLDER holds these data already (equal source hash)"},
           {"vae",
            "write latents of the pictures and of their mirror images, made by this run of an "
            "autoencoder, or by this file of weights of the kl_vae that model= names",
            true},
           {"verify", "read everything back and compare the hashes"}},
          run_pack};
}

}  // namespace switchyard
