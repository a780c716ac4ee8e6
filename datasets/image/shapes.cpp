#include "datasets/image/shapes.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/io/sha256.h"
#include "datasets/image/drawing/painter.h"

namespace switchyard {
namespace {

constexpr const char* kVersion = "shapes 1";  // new when the same parameters draw something else

uint8_t level(double value) {
  return static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0., 1.)));
}

/// Mean of four places in each pixel, [3,S,S].
at::Tensor render(const drawing::Painter& painter, int64_t size) {
  at::Tensor out = at::empty({3, size, size}, at::kByte);
  uint8_t* plane = out.data_ptr<uint8_t>();
  const double pixel = 1. / static_cast<double>(size);
  for (int64_t i = 0; i < size * size; ++i) {
    drawing::Color sum;
    for (const double dy : {.25, .75}) {
      for (const double dx : {.25, .75}) {
        const auto c = painter({(static_cast<double>(i % size) + dx) * pixel,
                                (static_cast<double>(i / size) + dy) * pixel});
        sum = {sum.r + c.r, sum.g + c.g, sum.b + c.b};
      }
    }
    plane[i] = level(sum.r / 4);
    plane[i + size * size] = level(sum.g / 4);
    plane[i + 2 * size * size] = level(sum.b / 4);
  }
  return out;
}

std::string number_of(int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(4 - std::min<size_t>(4, digits.size()), '0') + digits;
}

void check_names(const char* kind, const std::vector<std::string>& names,
                 const std::vector<std::string>& valid) {
  for (const auto& name : names) check_name(cat(kind, "s").c_str(), kind, name, valid);
  const std::set<std::string> unique(names.begin(), names.end());
  check(unique.size() == names.size(), cat(kind, "s"), "names a ", kind, " twice: got ",
        join(names));
}

}  // namespace

void ShapesParams::declare(Fields<ShapesParams>& f) {
  f.add("seed", &ShapesParams::seed, "makes the pictures", at_least(0));
  f.add("size", &ShapesParams::size, "height and width", between(8, 1024));
  f.add("train", &ShapesParams::train, "training pictures per style and shape", between(0, 1e6));
  f.add("test", &ShapesParams::test, "test pictures per style and shape", between(0, 1e6));
  f.add("jitter", &ShapesParams::jitter, "of place, size and turn; 0: all alike", between(0, 1));
  f.add("shapes", &ShapesParams::shapes,
        "classes: circle, square, triangle, star, cross, ring, heart, crescent");
  f.add("styles", &ShapesParams::styles, "data domains: flat, photo, sketch, cartoon, print");
}

Shapes::Shapes(const ShapesParams& params) : params_(params) {
  check_names("shape", params.shapes, drawing::shape_names());
  check_names("style", params.styles, drawing::style_names());
  check(size() > 0, "shapes", "draws no picture: got ", params.train, " training and ", params.test,
        " test pictures of ", params.shapes.size(), " shapes in ", params.styles.size(), " styles");
  info_.class_names = params.shapes;
  info_.source = "drawn shapes";
  info_.synthetic = true;
  info_.hash = sha256_text(cat(kVersion, "\n", write_params(params).to_line()));
}

int64_t Shapes::size() const {
  const auto cells = static_cast<int64_t>(params_.styles.size() * params_.shapes.size());
  return cells * (params_.train + params_.test);
}

Shapes::Place Shapes::place_of(int64_t index) const {
  check(index >= 0 && index < size(), "shapes", "no such sample: got ", index, ", expected 0 .. ",
        size() - 1);
  const auto shapes = static_cast<int64_t>(params_.shapes.size());
  const int64_t training = static_cast<int64_t>(params_.styles.size()) * shapes * params_.train;
  const bool train = index < training;
  const int64_t at = train ? index : index - training, count = train ? params_.train : params_.test;
  return {train, at / count / shapes, at / count % shapes, at % count};
}

SampleInfo Shapes::info_of(const Place& place) const {
  const std::string& style = params_.styles[place.style];
  const std::string split = place.train ? "train" : "test";
  const std::string uri =
      cat(split, "/", style, "/", params_.shapes[place.shape], "/", number_of(place.number));
  return {uri, style, uri, split};
}

SampleInfo Shapes::sample_info(int64_t index) const { return info_of(place_of(index)); }

Sample Shapes::get(int64_t index, const Draw&) const {
  const Place place = place_of(index);
  Sample out{{}, info_of(place)};
  RandomStream stream =
      RandomStream(static_cast<uint64_t>(params_.seed), kVersion).child(out.info.uri);
  const auto figure =
      drawing::Figure::placed(params_.shapes[place.shape], params_.size, params_.jitter, stream);
  out.tensors["image"] =
      render(drawing::make_painter(out.info.domain, figure, stream), params_.size);
  out.tensors["label"] = at::tensor({place.shape}, at::kLong);
  return out;
}

}  // namespace switchyard
