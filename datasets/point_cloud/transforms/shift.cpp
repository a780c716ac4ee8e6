#include "datasets/point_cloud/transforms/shift.h"

namespace switchyard {
namespace {

struct CenterShiftParams {
  bool apply_z = true;
  static void declare(Fields<CenterShiftParams>& f) {
    f.add("apply_z", &CenterShiftParams::apply_z, "put the lowest point at z = 0 too");
  }
};

class CenterShift : public PointTransform {
 public:
  explicit CenterShift(const CenterShiftParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream&) const override {
    center_shift(sample, params_.apply_z);
  }
  bool random() const override { return false; }

 private:
  CenterShiftParams params_;
};

struct RandomShiftParams {
  std::vector<double> low = {-.2, -.2, 0}, high = {.2, .2, 0};
  static void declare(Fields<RandomShiftParams>& f) {
    f.add("low", &RandomShiftParams::low, "least shift in x, y, z, metres");
    f.add("high", &RandomShiftParams::high, "greatest shift in x, y, z, metres");
  }
};

class RandomShift : public PointTransform {
 public:
  explicit RandomShift(const RandomShiftParams& params)
      : low_(three_numbers(params.low, "random_shift.low")),
        high_(three_numbers(params.high, "random_shift.high")) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    Row3 shift;
    for (size_t a = 0; a < 3; ++a) shift[a] = stream.uniform(low_[a], high_[a]);
    translate(sample, shift);
  }

 private:
  Row3 low_, high_;
};

}  // namespace

void center_shift(Sample& sample, bool apply_z) {
  const Box box = bounding_box(rows_of(sample, "coord"));
  const Row3 middle = box.middle();
  translate(sample, {-middle[0], -middle[1], apply_z ? -box.low[2] : 0});
}

void translate(Sample& sample, const Row3& shift) {
  for (const at::Tensor& rows : places_of(sample)) {
    edit_rows(rows, [&](Row3& p, int64_t) {
      for (size_t a = 0; a < 3; ++a) p[a] += shift[a];
    });
  }
}

void register_shift() {
  point_transforms().add<CenterShiftParams>(
      "center_shift", "subtract the middle of the box in x and y, the lowest z",
      [](const CenterShiftParams& p) { return std::make_unique<CenterShift>(p); });
  point_transforms().add<RandomShiftParams>(
      "random_shift", "add one random vector",
      [](const RandomShiftParams& p) { return std::make_unique<RandomShift>(p); });
}

}  // namespace switchyard
