#include "datasets/point_cloud/transforms/rotate.h"

#include <cmath>
#include <numbers>

namespace switchyard {
namespace {

/// What both rotations share.
struct About {
  std::string axis = "z";
  std::optional<Row3> center;
  void turn(Sample& sample, double angle_pi) const {
    rotate(sample, axis[0], angle_pi * std::numbers::pi, center);
  }
};

About about(const std::string& axis, const std::vector<double>& center, const std::string& what) {
  if (center.empty()) return {axis, std::nullopt};
  return {axis, three_numbers(center, what + ".center")};
}

template <class P>
void declare_about(Fields<P>& f) {
  f.add("axis", &P::axis, "axis of rotation", Choices{{"x", "y", "z"}});
  f.add("center", &P::center, "point that stays; empty: the middle of the bounding box");
  f.add("p", &P::p, "probability", between(0, 1));
}

struct RandomRotateParams {
  std::vector<double> angle = {-1, 1}, center;
  std::string axis = "z";
  double p = .5;
  static void declare(Fields<RandomRotateParams>& f) {
    f.add("angle", &RandomRotateParams::angle, "least and greatest angle, in units of pi");
    declare_about(f);
  }
};

class RandomRotate : public PointTransform {
 public:
  explicit RandomRotate(const RandomRotateParams& params)
      : params_(params), about_(about(params.axis, params.center, "random_rotate")) {
    check(params.angle.size() == 2 && params.angle[0] <= params.angle[1], "random_rotate.angle",
          "bad interval: expected [least, greatest]");
  }
  void apply(Sample& sample, RandomStream& stream) const override {
    if (stream.chance(params_.p))
      about_.turn(sample, stream.uniform(params_.angle[0], params_.angle[1]));
  }

 private:
  RandomRotateParams params_;
  About about_;
};

struct RotateTargetParams {
  std::vector<double> angles = {.5, 1, 1.5}, center;
  std::string axis = "z";
  double p = .75;
  static void declare(Fields<RotateTargetParams>& f) {
    f.add("angles", &RotateTargetParams::angles, "angles to choose from, in units of pi");
    declare_about(f);
  }
};

class RotateTarget : public PointTransform {
 public:
  explicit RotateTarget(const RotateTargetParams& params)
      : params_(params), about_(about(params.axis, params.center, "random_rotate_target")) {
    check(!params.angles.empty(), "random_rotate_target.angles", "the list is empty");
  }
  void apply(Sample& sample, RandomStream& stream) const override {
    if (!stream.chance(params_.p)) return;
    const int64_t pick = stream.below(static_cast<int64_t>(params_.angles.size()));
    about_.turn(sample, params_.angles[static_cast<size_t>(pick)]);
  }

 private:
  RotateTargetParams params_;
  About about_;
};

}  // namespace

void rotate(Sample& sample, char axis, double radians, const std::optional<Row3>& center) {
  check(axis >= 'x' && axis <= 'z', "rotate", "bad axis: got '", std::string(1, axis),
        "'; valid: x, y, z");
  // The plane that turns: y -> z, z -> x or x -> y.
  const auto u = static_cast<size_t>(axis - 'x' + 1) % 3, v = (u + 1) % 3;
  const double c = std::cos(radians), s = std::sin(radians);
  const auto turn = [&](const at::Tensor& rows, const Row3& fixed) {
    edit_rows(rows, [&](Row3& p, int64_t) {
      const double du = p[u] - fixed[u], dv = p[v] - fixed[v];
      p[u] = fixed[u] + c * du - s * dv;
      p[v] = fixed[v] + s * du + c * dv;
    });
  };
  const Row3 fixed = center ? *center : bounding_box(rows_of(sample, "coord")).middle();
  for (const at::Tensor& rows : places_of(sample)) turn(rows, fixed);
  if (sample.tensors.count("normal")) turn(rows_of(sample, "normal"), {});
}

void register_rotate() {
  point_transforms().add<RandomRotateParams>(
      "random_rotate", "rotate about an axis by a random angle",
      [](const RandomRotateParams& p) { return std::make_unique<RandomRotate>(p); });
  point_transforms().add<RotateTargetParams>(
      "random_rotate_target", "rotate about an axis by one of the given angles",
      [](const RotateTargetParams& p) { return std::make_unique<RotateTarget>(p); });
}

}  // namespace switchyard
