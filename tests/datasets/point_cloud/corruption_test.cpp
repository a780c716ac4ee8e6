#include "tests/test.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "datasets/point_cloud/corruption.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

constexpr int64_t kPoints = 4000;

/// A scan of 4 m by 4 m by 2 m whose sensor stood in its middle. Intensity is the point's number.
Sample scan() {
  Sample sample;
  at::Tensor coord = at::empty({kPoints, 3}, at::kFloat);
  RandomStream stream(1, "scan");
  for (int64_t i = 0; i < kPoints; ++i) {
    float* p = coord.mutable_data_ptr<float>() + 3 * i;
    p[0] = static_cast<float>(stream.uniform(-2, 2));
    p[1] = static_cast<float>(stream.uniform(-2, 2));
    p[2] = static_cast<float>(stream.uniform(0, 2));
  }
  sample.tensors["coord"] = coord;
  sample.tensors["origin"] = at::zeros({kPoints, 3});
  sample.tensors["intensity"] = at::arange(kPoints, at::kFloat);
  sample.tensors["segment"] = at::arange(kPoints, at::kLong);
  sample.info.uri = "scan";
  return sample;
}

Sample after(const std::string& kind, int64_t severity, Sample sample = scan()) {
  corrupt(sample, {kind, severity}, RandomStream(7, "corruption"));
  return sample;
}

at::Tensor coord_of(const Sample& sample) { return sample.tensors.at("coord"); }

/// Share of the points that are left; all tensors have as many rows, and the rows that they had.
double share_left(const Sample& sample) {
  const Sample before = scan();
  const at::Tensor rows = sample.tensors.at("segment");
  for (const auto& [key, tensor] : sample.tensors)
    REQUIRE(tensor.equal(before.tensors.at(key).index_select(0, rows)));
  return static_cast<double>(rows.size(0)) / kPoints;
}

}  // namespace

TEST_CASE("corruption: severity 0 and the input itself stay as they are", "[corruption]") {
  const Sample sample = scan();
  const at::Tensor coord = sample.tensors.at("coord").clone();
  for (const auto& kind : corruption_kinds()) {
    INFO(kind);
    CHECK(coord_of(after(kind, 0)).equal(coord));
    const Sample changed = after(kind, 5, sample);
    CHECK(sample.tensors.at("coord").equal(coord));
    CHECK_FALSE((coord_of(changed).sizes() == coord.sizes() && coord_of(changed).equal(coord) &&
                 changed.tensors.at("intensity").equal(sample.tensors.at("intensity"))));
    CHECK(coord_of(changed).equal(coord_of(after(kind, 5, sample))));  // the same draw every time
  }
}

TEST_CASE("corruption noise moves points by severity centimetres", "[corruption]") {
  for (const int64_t s : {1, 5}) {
    const at::Tensor move = coord_of(after("noise", s)) - coord_of(scan());
    CHECK(move.std().item<double>() == Approx(.01 * double(s)).epsilon(.05));
    CHECK(std::abs(move.mean().item<double>()) < .001 * double(s));
  }
}

TEST_CASE("corruptions that lose points lose the stated share", "[corruption]") {
  for (const int64_t s : {1, 3, 5}) {
    CHECK(share_left(after("density", s)) == Approx(std::pow(2, -double(s))).margin(.02));
    CHECK(share_left(after("occlusion", s)) == Approx(1 - double(s) / 12).margin(.03));
    const double left = share_left(after("dropout", s));
    CHECK(left <= 1 - .1 * double(s));
    CHECK(left > 1 - .1 * double(s) - .04);  // at most one ball more
  }
}

TEST_CASE("corruption rotation tilts without bending, scale keeps angles", "[corruption]") {
  const auto spread = [](const at::Tensor& coord) {
    return (coord - coord.mean(0)).to(at::kDouble).norm().item<double>();
  };
  const at::Tensor before = coord_of(scan());
  const at::Tensor tilted = coord_of(after("rotation", 5));
  CHECK(spread(tilted) == Approx(spread(before)).epsilon(1e-5));
  // A tilt by a moves a point by at most 2 sin(a/2) of its distance to the middle.
  const double most = (tilted - before).norm(2, 1).max().item<double>();
  CHECK(most > .8 * 2 * std::sin(.5 * 20 * 3.14159 / 180) * 2);
  CHECK(most < 2 * std::sin(.5 * 20 * 3.14159 / 180) * 3.1);
  const double ratio = spread(coord_of(after("scale", 5))) / spread(before);
  CHECK((ratio == Approx(1.5).epsilon(1e-4) || ratio == Approx(1 / 1.5).epsilon(1e-4)));
}

TEST_CASE("corruption reflectance replaces the stated share by the mean", "[corruption]") {
  const double mean = .5 * (kPoints - 1);
  const at::Tensor all = after("reflectance", 5).tensors.at("intensity");
  CHECK(at::allclose(all, at::full_like(all, mean)));
  const at::Tensor some = after("reflectance", 2).tensors.at("intensity");
  CHECK((some == mean).sum().item<double>() / kPoints == Approx(.4).margin(.03));
}

TEST_CASE("corruption leaves a point of a tiny scan and takes an empty one", "[corruption]") {
  for (const int64_t points : {0, 1}) {
    for (const auto& kind : corruption_kinds()) {
      INFO(kind << " of " << points);
      Sample sample = scan();
      for (auto& [key, tensor] : sample.tensors) tensor = tensor.narrow(0, 0, points);
      CHECK(coord_of(after(kind, 5, sample)).size(0) == points);
    }
  }
}
