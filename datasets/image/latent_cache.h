#pragma once
// Images encoded by a VAE, as the published training code of ProMoE caches them:
//
//   ROOT/CLASS/NAME.latent.npz        arrays latent and latent_flip, float32 [2Z,h,w]: the moments
//                                     of the image and of its mirror image, Z means, then Z log
//                                     variances, before scaling
//   ROOT/CLASS/NAME.latent.npy        or the arrays alone, NAME.latent_flip.npy the mirrored one
//   ROOT/SPLIT/CLASS/...              or with split folders
//   ROOT/latents.json                 {"vae": "stabilityai/sd-vae-ft-mse", "scaling_factor":
//   0.18215,
//                                     "flip": true}
//   ROOT/index.json                   or shards that `switchyard pack` made of such a folder
//
// latents.json is not published; whoever brings a cache writes it, since nothing else says which
// VAE decodes it. Labels and splits as of image_folder. Samples: latent and, where `flip`,
// latent_flip, f32 [2Z,h,w]; label [1] i64.

#include <memory>

#include "core/base/params.h"
#include "datasets/dataset.h"
#include "datasets/layout.h"

namespace switchyard {

inline constexpr const char* kLatentsName = "latents.json";

struct LatentCacheParams {
  std::string root, domain, source, vae, split = "train";
  ConfigNode splits;
  static void declare(Fields<LatentCacheParams>& f);
};

/// Lists and hashes the files. Errors: no latents.json, latents of another VAE than the parameter
/// `vae` names; no class, a class folder without latents. When read: a missing array, another type
/// or shape, values that are not finite.
std::unique_ptr<Dataset> open_latent_cache(const LatentCacheParams& params);

Layout latent_cache_layout();

}  // namespace switchyard
