#include "datasets/point_cloud/transforms/scale_flip.h"

namespace switchyard {
namespace {

struct RandomScaleParams {
  double low = .95, high = 1.05;
  bool anisotropic = false;
  static void declare(Fields<RandomScaleParams>& f) {
    f.add("low", &RandomScaleParams::low, "smallest factor", between(1e-3, 1e3));
    f.add("high", &RandomScaleParams::high, "largest factor", between(1e-3, 1e3));
    f.add("anisotropic", &RandomScaleParams::anisotropic, "a factor of its own for every axis");
  }
};

class RandomScale : public PointTransform {
 public:
  explicit RandomScale(const RandomScaleParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    Row3 factor;
    factor.fill(stream.uniform(params_.low, params_.high));
    for (size_t a = 1; a < 3 && params_.anisotropic; ++a)
      factor[a] = stream.uniform(params_.low, params_.high);
    scale(sample, factor);
  }

 private:
  RandomScaleParams params_;
};

struct RandomFlipParams {
  double p = .5;
  static void declare(Fields<RandomFlipParams>& f) {
    f.add("p", &RandomFlipParams::p, "probability, for x and for y", between(0, 1));
  }
};

class RandomFlip : public PointTransform {
 public:
  explicit RandomFlip(const RandomFlipParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    const bool x = stream.chance(params_.p), y = stream.chance(params_.p);
    flip(sample, x, y);
  }

 private:
  RandomFlipParams params_;
};

void multiply(const at::Tensor& rows, const Row3& factor) {
  edit_rows(rows, [&](Row3& p, int64_t) {
    for (size_t a = 0; a < 3; ++a) p[a] *= factor[a];
  });
}

}  // namespace

void scale(Sample& sample, const Row3& factor) {
  for (const at::Tensor& rows : places_of(sample)) multiply(rows, factor);
}

void flip(Sample& sample, bool x, bool y) {
  if (!x && !y) return;
  const Row3 sign = {x ? -1. : 1., y ? -1. : 1., 1.};
  scale(sample, sign);
  if (sample.tensors.count("normal")) multiply(rows_of(sample, "normal"), sign);
}

void register_scale_flip() {
  point_transforms().add<RandomScaleParams>(
      "random_scale", "multiply coordinates by a random factor",
      [](const RandomScaleParams& p) { return std::make_unique<RandomScale>(p); });
  point_transforms().add<RandomFlipParams>(
      "random_flip", "mirror in x and in y",
      [](const RandomFlipParams& p) { return std::make_unique<RandomFlip>(p); });
}

}  // namespace switchyard
