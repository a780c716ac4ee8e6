#include "datasets/image/shapes.h"

#include <ATen/TensorOperators.h>

#include <set>

#include "datasets/image/drawing/outline.h"
#include "datasets/image/drawing/painter.h"
#include "datasets/pack.h"
#include "datasets/shards.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

ShapesParams few() {
  ShapesParams params;
  params.train = 2;
  params.test = 1;
  return params;
}

at::Tensor image(const Dataset& dataset, int64_t index) {
  return dataset.get(index, {}).tensors.at("image");
}

}  // namespace

TEST_CASE("shapes draws every shape in every style, in two splits", "[image][datasets]") {
  const Shapes dataset(few());
  REQUIRE(dataset.size() == 5 * 8 * 3);
  CHECK(dataset.info().synthetic);
  std::set<std::string> cells, uris;
  std::vector<int64_t> count(8, 0);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = dataset.get(i, {});
    cells.insert(sample.info.domain + "/" + sample.info.split);
    uris.insert(sample.info.uri);
    ++count[sample.tensors.at("label").item<int64_t>()];
    const at::Tensor pixels = sample.tensors.at("image");
    CHECK(pixels.sizes() == at::IntArrayRef({3, 32, 32}));
    CHECK(pixels.to(at::kFloat).std().item<double>() > 8);
  }
  CHECK(cells.size() == 10);
  CHECK(uris.size() == 120);
  CHECK(count == std::vector<int64_t>(8, 15));
}

TEST_CASE("a picture depends on seed and uri alone", "[image][datasets]") {
  auto params = few();
  const Shapes dataset(params), again(params);
  CHECK(image(dataset, 7).equal(image(again, 7)));
  CHECK_FALSE(image(dataset, 0).equal(image(dataset, 1)));
  params.train = 5;
  const Shapes more(params);
  CHECK(more.sample_info(5).uri == dataset.sample_info(2).uri);
  CHECK(image(more, 5).equal(image(dataset, 2)));
  params.seed = 1;
  CHECK_FALSE(image(Shapes(params), 5).equal(image(dataset, 2)));
  CHECK(Shapes(params).info().hash != more.info().hash);
}

TEST_CASE("shapes can be chosen and lie alike without jitter", "[image][datasets]") {
  auto params = few();
  params.shapes = {"ring", "cross"};
  params.styles = {"flat"};
  const Shapes dataset(params);
  CHECK(dataset.info().class_names == params.shapes);
  CHECK(dataset.size() == 2 * 3);
  CHECK(dataset.get(5, {}).info.uri == "test/flat/cross/0000");
  params.jitter = 0;
  const Shapes still(params);
  CHECK(still.info().hash != dataset.info().hash);
  // Equal but for colours: the pixels that differ from the corner's are the same.
  const auto covered = [](const Shapes& from, int64_t index) {
    const at::Tensor pixels = image(from, index);
    return pixels.ne(pixels.narrow(1, 0, 1).narrow(2, 0, 1)).any(0);
  };
  CHECK(covered(still, 0).equal(covered(still, 1)));
  CHECK_FALSE(covered(dataset, 0).equal(covered(dataset, 1)));
}

TEST_CASE("shapes can be packed and refuses wrong parameters", "[image][datasets]") {
  TempDir folder;
  auto params = few();
  params.styles = {"sketch", "print"};
  const Shapes dataset(params);
  pack(dataset, folder / "pack", {});
  CHECK(same_samples(ShardDataset(folder / "pack"), dataset));
  const auto error = [](const ShapesParams& wrong) { return error_of([&] { Shapes{wrong}; }); };
  params.styles = {"oil"};
  CHECK(holds(error(params), "valid: flat, photo, sketch, cartoon, print"));
  params.styles = {"flat", "flat"};
  CHECK(holds(error(params), "twice"));
  params.styles = {};
  CHECK(holds(error(params), "draws no picture"));
  params = few();
  params.shapes = {"blob"};
  CHECK(holds(error(params), "valid: circle, square"));
  params.shapes = {"ring", "ring"};
  CHECK(holds(error(params), "names a shape twice"));
  CHECK(holds(error_of([&] { dataset.get(dataset.size(), {}); }), "no such sample"));
}

TEST_CASE("outlines are signed distances", "[image]") {
  const auto name = GENERATE(from_range(drawing::shape_names()));
  INFO(name);
  const drawing::Outline outline(name);
  RandomStream stream(1, name);
  CHECK(outline.distance({3, 0}) > 1.5);
  for (int i = 0; i < 300; ++i) {
    const drawing::Point p = {stream.uniform(-1.5, 1.5), stream.uniform(-1.5, 1.5)};
    const double d = outline.distance(p), step = 1e-4;
    // Away from the medial axis the gradient has length 1; on it, less.
    const double gx = (outline.distance({p.x + step, p.y}) - d) / step,
                 gy = (outline.distance({p.x, p.y + step}) - d) / step;
    CHECK(std::hypot(gx, gy) < 1.001);
  }
}
