#pragma once
// From noise to images, with a trained network.

#include "core/base/random.h"
#include "core/base/registry.h"
#include "domains/diffusion/guidance.h"

namespace switchyard {

/// Called at every state: the number of steps done, the time of the state in 0 .. 1000 (0 at the
/// end) and the state [B, C, S, S]. Step 0 is the noise.
using SamplerObserver = std::function<void(int64_t step, double t, const at::Tensor& x)>;

class Sampler {
 public:
  virtual ~Sampler() = default;
  /// `start`: start_noise(); `images`: one stream for each of the B images, from which all further
  /// noise is drawn, so that an image does not depend on its batch. Returns [B, C, S, S]. Builds no
  /// graph. Errors: as many streams as images, a prediction of too few channels.
  virtual at::Tensor sample(const ConditionalNetwork& network, const at::Tensor& start_BCSS,
                            const std::vector<RandomStream>& images,
                            const SamplerObserver& observe = {}) const = 0;
  virtual int64_t steps() const = 0;
};

/// Errors: not [B, C, S, S], another number of streams than of images.
void check_streams(const at::Tensor& start_BCSS, const std::vector<RandomStream>& images);

/// Standard normal draws [B, shape...] of `options`, one row from child("noise", step) of every
/// stream; drawn in double on the CPU. `step` 0: the start.
at::Tensor image_noise(const std::vector<RandomStream>& images, at::IntArrayRef shape,
                       const at::TensorOptions& options, int64_t step);
inline at::Tensor start_noise(const std::vector<RandomStream>& images, at::IntArrayRef shape,
                              const at::TensorOptions& options) {
  return image_noise(images, shape, options, 0);
}

}  // namespace switchyard
