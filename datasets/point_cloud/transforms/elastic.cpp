#include "datasets/point_cloud/transforms/elastic.h"

#include <cmath>

namespace switchyard {
namespace {

struct ElasticParams {
  std::vector<double> granularity = {.2, .8}, magnitude = {.4, 1.6};
  double p = .95;
  static void declare(Fields<ElasticParams>& f) {
    f.add("granularity", &ElasticParams::granularity, "node distance of each pass, metres",
          between(1e-3, 1e3));
    f.add("magnitude", &ElasticParams::magnitude, "factor of each pass, metres");
    f.add("p", &ElasticParams::p, "probability", between(0, 1));
  }
};

/// Keeps a stray point from asking for a noise grid that fills the memory.
void check_size(const Box& box, double granularity, const std::string& uri) {
  constexpr double kMaxNodes = 1 << 24;
  double nodes = 1;
  for (size_t a = 0; a < 3; ++a) nodes *= (box.high[a] - box.low[a]) / granularity + 3;
  check(nodes <= kMaxNodes, uri, "cloud is too large for elastic_distortion: got ", nodes,
        " nodes of noise, expected at most ", kMaxNodes);
}

class ElasticDistortion : public PointTransform {
 public:
  explicit ElasticDistortion(const ElasticParams& params) : params_(params) {
    check(params.granularity.size() == params.magnitude.size(), "elastic_distortion",
          "needs one magnitude per granularity: got ", params.magnitude.size(), ", expected ",
          params.granularity.size());
  }
  void apply(Sample& sample, RandomStream& stream) const override {
    if (!stream.chance(params_.p)) return;
    const at::Tensor coord = rows_of(sample, "coord");
    for (size_t i = 0; i < params_.granularity.size(); ++i) {
      const Box box = bounding_box(coord);
      check_size(box, params_.granularity[i], sample.info.uri);
      const auto n = elastic_nodes(box, params_.granularity[i]);
      const at::Tensor noise = normal_draws(stream, n[0] * n[1] * n[2], 3).to(at::kFloat);
      elastic(coord, noise.view({n[0], n[1], n[2], 3}), params_.granularity[i],
              params_.magnitude[i]);
    }
  }

 private:
  ElasticParams params_;
};

/// One 3-tap box blur along the axis whose neighbours are `stride` floats apart.
void blur(std::vector<float>& field, int64_t length, int64_t stride) {
  constexpr double kTap = 1.f / 3.f;
  const auto total = static_cast<int64_t>(field.size());
  for (int64_t block = 0; block < total; block += length * stride) {
    for (int64_t lane = 0; lane < stride; ++lane) {
      float* p = field.data() + block + lane;
      double before = 0;
      for (int64_t i = 0; i < length; ++i, p += stride) {
        const double here = *p, after = i + 1 < length ? p[stride] : 0.;
        *p = static_cast<float>(kTap * before + kTap * here + kTap * after);
        before = here;
      }
    }
  }
}

/// A blurred noise grid; value() interpolates linearly between nodes.
class Field {
 public:
  Field(const at::Tensor& noise_XYZ3, const Row3& origin, double spacing)
      : origin_(origin), spacing_(spacing) {
    const at::Tensor noise = noise_XYZ3.contiguous();
    values_.assign(noise.const_data_ptr<float>(), noise.const_data_ptr<float>() + noise.numel());
    for (size_t a = 0; a < 3; ++a) {
      nodes_[a] = noise.size(static_cast<int64_t>(a));
      stride_[a] = noise.stride(static_cast<int64_t>(a));
    }
    for (int round = 0; round < 2; ++round) {
      for (size_t a = 0; a < 3; ++a) blur(values_, nodes_[a], stride_[a]);
    }
  }

  Row3 value(const Row3& p) const {
    Row3 part, out{};
    int64_t corner = 0;
    for (size_t a = 0; a < 3; ++a) {
      const double place = (p[a] - origin_[a]) / spacing_;
      const auto cell = std::clamp<int64_t>(int64_t(std::floor(place)), 0, nodes_[a] - 2);
      part[a] = place - static_cast<double>(cell);
      corner += cell * stride_[a];
    }
    for (unsigned c = 0; c < 8; ++c) {
      double weight = 1;
      int64_t at = corner;
      for (size_t a = 0; a < 3; ++a) {
        const bool upper = c >> a & 1;
        weight *= upper ? part[a] : 1 - part[a];
        at += upper ? stride_[a] : 0;
      }
      for (int64_t k = 0; k < 3; ++k) out[size_t(k)] += weight * values_[size_t(at + k)];
    }
    return out;
  }

 private:
  Row3 origin_;
  double spacing_;
  std::vector<float> values_;
  std::array<int64_t, 3> nodes_, stride_;
};

}  // namespace

std::array<int64_t, 3> elastic_nodes(const Box& box, double granularity) {
  std::array<int64_t, 3> out;
  for (size_t a = 0; a < 3; ++a)
    out[a] = static_cast<int64_t>(std::floor((box.high[a] - box.low[a]) / granularity)) + 3;
  return out;
}

void elastic(const at::Tensor& coord_N3, const at::Tensor& noise_XYZ3, double granularity,
             double magnitude) {
  const Box box = bounding_box(coord_N3);
  const auto n = elastic_nodes(box, granularity);
  check(noise_XYZ3.sizes() == at::IntArrayRef({n[0], n[1], n[2], 3}), "elastic",
        "noise of a wrong size: got ", to_text(noise_XYZ3.sizes().vec()), ", expected ",
        to_text(std::vector<int64_t>{n[0], n[1], n[2], 3}));
  Row3 origin;
  for (size_t a = 0; a < 3; ++a) origin[a] = box.low[a] - granularity;
  const Field field(noise_XYZ3, origin, granularity);
  edit_rows(coord_N3, [&](Row3& p, int64_t) {
    const Row3 push = field.value(p);
    for (size_t a = 0; a < 3; ++a) p[a] += magnitude * push[a];
  });
}

void register_elastic() {
  point_transforms().add<ElasticParams>(
      "elastic_distortion", "displace points by smooth random fields",
      [](const ElasticParams& p) { return std::make_unique<ElasticDistortion>(p); });
}

}  // namespace switchyard
