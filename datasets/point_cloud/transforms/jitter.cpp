#include "datasets/point_cloud/transforms/jitter.h"

namespace switchyard {
namespace {

struct RandomJitterParams {
  double sigma = .01, clip = .05;
  static void declare(Fields<RandomJitterParams>& f) {
    f.add("sigma", &RandomJitterParams::sigma, "standard deviation, metres", at_least(0));
    f.add("clip", &RandomJitterParams::clip, "largest displacement along an axis, metres",
          at_least(0));
  }
};

class RandomJitter : public PointTransform {
 public:
  explicit RandomJitter(const RandomJitterParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    const at::Tensor coord = rows_of(sample, "coord");
    jitter(coord, normal_draws(stream, coord.size(0), 3), params_.sigma, params_.clip);
  }

 private:
  RandomJitterParams params_;
};

struct PointClipParams {
  std::vector<double> low = {-80, -80, -3}, high = {80, 80, 1};
  static void declare(Fields<PointClipParams>& f) {
    f.add("low", &PointClipParams::low, "least x, y, z, metres");
    f.add("high", &PointClipParams::high, "greatest x, y, z, metres");
  }
};

class PointClip : public PointTransform {
 public:
  explicit PointClip(const PointClipParams& params)
      : box_{three_numbers(params.low, "point_clip.low"),
             three_numbers(params.high, "point_clip.high")} {
    for (size_t a = 0; a < 3; ++a)
      check(box_.low[a] <= box_.high[a], "point_clip", "empty box: got ", box_.low[a], " .. ",
            box_.high[a]);
  }
  void apply(Sample& sample, RandomStream&) const override {
    point_clip(rows_of(sample, "coord"), box_);
  }
  bool random() const override { return false; }

 private:
  Box box_;
};

}  // namespace

void jitter(const at::Tensor& coord_N3, const at::Tensor& noise_N3, double sigma, double clip) {
  const double* noise = noise_N3.const_data_ptr<double>();
  edit_rows(coord_N3, [&](Row3& p, int64_t) {
    for (size_t a = 0; a < 3; ++a) p[a] += std::clamp(sigma * *noise++, -clip, clip);
  });
}

void point_clip(const at::Tensor& coord_N3, const Box& box) {
  edit_rows(coord_N3, [&](Row3& p, int64_t) {
    for (size_t a = 0; a < 3; ++a) p[a] = std::clamp(p[a], box.low[a], box.high[a]);
  });
}

void register_jitter() {
  point_transforms().add<RandomJitterParams>(
      "random_jitter", "move every point by clipped normal noise",
      [](const RandomJitterParams& p) { return std::make_unique<RandomJitter>(p); });
  point_transforms().add<PointClipParams>(
      "point_clip", "clamp coordinates to a box",
      [](const PointClipParams& p) { return std::make_unique<PointClip>(p); });
}

}  // namespace switchyard
