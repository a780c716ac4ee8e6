#include "domains/diffusion/sampler.h"

namespace switchyard {

void check_streams(const at::Tensor& start_BCSS, const std::vector<RandomStream>& images) {
  check(start_BCSS.dim() == 4 && start_BCSS.size(0) == static_cast<int64_t>(images.size()),
        "sampler", "start: got ", to_text(start_BCSS.sizes().vec()), ", expected [", images.size(),
        ", C, S, S]: one image for each random stream");
}

at::Tensor image_noise(const std::vector<RandomStream>& images, at::IntArrayRef shape,
                       const at::TensorOptions& options, int64_t step) {
  std::vector<int64_t> sizes = shape.vec();
  sizes.insert(sizes.begin(), static_cast<int64_t>(images.size()));
  const at::Tensor out = at::empty(sizes, at::kDouble);
  const int64_t count = images.empty() ? 0 : out[0].numel();
  double* value = out.mutable_data_ptr<double>();
  for (const RandomStream& image : images) {
    RandomStream stream = image.child("noise", static_cast<uint64_t>(step));
    for (int64_t i = 0; i < count; ++i) *value++ = stream.normal();
  }
  return out.to(options);
}

}  // namespace switchyard
