#include "datasets/point_cloud/transforms/choose.h"

#include "datasets/point_cloud/points.h"

namespace switchyard {
namespace {

struct RandomDropoutParams {
  double ratio = .2, p = .5;
  static void declare(Fields<RandomDropoutParams>& f) {
    f.add("ratio", &RandomDropoutParams::ratio, "share of the points dropped", between(0, 1));
    f.add("p", &RandomDropoutParams::p, "probability", between(0, 1));
  }
};

class RandomDropout : public PointTransform {
 public:
  explicit RandomDropout(const RandomDropoutParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    if (!stream.chance(params_.p)) return;
    const int64_t points = rows_of(sample, "coord").size(0);
    const at::Tensor order = at::tensor(stream.permutation(points), at::kLong);
    take_points(sample, order.narrow(0, 0, share_of(points, 1 - params_.ratio)));
  }

 private:
  RandomDropoutParams params_;
};

struct ShufflePointParams {
  static void declare(Fields<ShufflePointParams>&) {}
};

class ShufflePoint : public PointTransform {
 public:
  void apply(Sample& sample, RandomStream& stream) const override {
    const int64_t points = rows_of(sample, "coord").size(0);
    take_points(sample, at::tensor(stream.permutation(points), at::kLong));
  }
};

struct SphereCropParams {
  int64_t point_max = 80000;
  std::optional<double> sample_rate;
  std::string mode = "random";
  static void declare(Fields<SphereCropParams>& f) {
    f.add("point_max", &SphereCropParams::point_max, "points kept", at_least(1));
    f.add("sample_rate", &SphereCropParams::sample_rate,
          "share of the points kept, instead of point_max", between(0, 1));
    f.add("mode", &SphereCropParams::mode, "center: a random point, or the middle one of the list",
          Choices{{"random", "center"}});
  }
};

class SphereCrop : public PointTransform {
 public:
  explicit SphereCrop(const SphereCropParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    const int64_t points = rows_of(sample, "coord").size(0);
    if (points == 0) return;
    sphere_crop(sample, random() ? stream.below(points) : points / 2,
                params_.sample_rate ? share_of(points, *params_.sample_rate) : params_.point_max);
  }
  bool random() const override { return params_.mode == "random"; }

 private:
  SphereCropParams params_;
};

}  // namespace

int64_t share_of(int64_t points, double share) {
  return static_cast<int64_t>(static_cast<double>(points) * share);
}

void sphere_crop(Sample& sample, int64_t center, int64_t count) {
  const at::Tensor coord = rows_of(sample, "coord");
  if (coord.size(0) <= count) return;
  const Row3 middle = row_of(coord, center);
  std::vector<std::pair<double, int64_t>> ranked(static_cast<size_t>(coord.size(0)));
  visit_rows(coord, [&](const Row3& p, int64_t i) {
    const double x = p[0] - middle[0], y = p[1] - middle[1], z = p[2] - middle[2];
    ranked[static_cast<size_t>(i)] = {x * x + y * y + z * z, i};
  });
  std::nth_element(ranked.begin(), ranked.begin() + count, ranked.end());
  std::sort(ranked.begin(), ranked.begin() + count);
  at::Tensor rows = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i)
    rows.data_ptr<int64_t>()[i] = ranked[static_cast<size_t>(i)].second;
  take_points(sample, rows);
}

void register_choose() {
  Registry<PointTransform>& registry = point_transforms();
  registry.add<RandomDropoutParams>(
      "random_dropout", "drop a share of the points",
      [](const RandomDropoutParams& p) { return std::make_unique<RandomDropout>(p); });
  registry.add<ShufflePointParams>(
      "shuffle_point", "random order of the points",
      [](const ShufflePointParams&) { return std::make_unique<ShufflePoint>(); });
  registry.add<SphereCropParams>(
      "sphere_crop", "keep the points nearest to one point",
      [](const SphereCropParams& p) { return std::make_unique<SphereCrop>(p); });
}

}  // namespace switchyard
