#include "datasets/point_cloud/transforms/transform.h"

#include <cmath>
#include <set>

#include "datasets/pack.h"
#include "datasets/point_cloud/transformed.h"
#include "datasets/point_cloud/transforms/choose.h"
#include "datasets/point_cloud/transforms/chromatic.h"
#include "datasets/point_cloud/transforms/elastic.h"
#include "datasets/point_cloud/transforms/rotate.h"
#include "datasets/registry.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

ConfigNode node(const std::string& type, ConfigNode::Map params = {}) {
  params.insert(params.begin(), {"type", ConfigNode(type)});
  return ConfigNode(std::move(params));
}
ConfigNode numbers(const std::vector<double>& values) {
  ConfigNode::List list;
  for (double v : values) list.emplace_back(v);
  return ConfigNode(std::move(list));
}

/// Random points in a 4 x 3 x 2 m box.
Sample cloud(int64_t points, const std::string& split = "train") {
  RandomStream stream(11, "cloud");
  const at::Tensor coord = at::empty({points, 3}), normal = at::zeros({points, 3});
  const at::Tensor color = at::empty({points, 3}, at::kByte);
  for (int64_t i = 0; i < points * 3; ++i) {
    coord.data_ptr<float>()[i] = float(stream.uniform(0, 4 - i % 3));
    color.data_ptr<uint8_t>()[i] = uint8_t(stream.below(200) + 20);
  }
  normal.select(1, 2).fill_(1);
  return {{{"coord", coord},
           {"normal", normal},
           {"color", color},
           {"segment", at::arange(points, at::kLong)}},
          {"cloud-" + split, "d", "g", split}};
}

Transformed transformed(const std::vector<ConfigNode>& transforms, int64_t points = 500,
                        TransformedParams params = {}) {
  register_point_transforms();
  params.transforms = transforms;
  return {
      std::make_shared<MemoryDataset>(std::vector<Sample>{cloud(points), cloud(points, "test")}),
      params};
}

Sample under(const std::vector<ConfigNode>& transforms, int64_t points = 500, int64_t item = 0) {
  return transformed(transforms, points).get(0, Draw{3, 0, item});
}

/// Every random transform, always applied.
std::vector<ConfigNode> all_random() {
  const ConfigNode always(1.0);
  return {node("random_dropout", {{"p", always}}),
          node("random_rotate", {{"p", always}}),
          node("random_rotate_target", {{"axis", ConfigNode("x")}, {"p", always}}),
          node("random_scale", {{"anisotropic", ConfigNode(true)}}),
          node("random_shift"),
          node("random_flip"),
          node("random_jitter"),
          node("elastic_distortion", {{"p", always}}),
          node("chromatic_auto_contrast", {{"p", always}}),
          node("chromatic_translation", {{"p", always}}),
          node("chromatic_jitter", {{"p", always}}),
          node("grid_sample", {{"grid_size", ConfigNode(.05)}}),
          node("sphere_crop", {{"sample_rate", ConfigNode(.5)}}),
          node("shuffle_point")};
}

at::Tensor coord_of(const Sample& sample) { return sample.tensors.at("coord"); }

}  // namespace

TEST_CASE("every transform works on clouds of any size and depends only on its draw",
          "[transforms]") {
  for (int64_t points : {0, 1, 2, 700}) {
    const Sample a = under(all_random(), points), b = under(all_random(), points);
    CHECK(coord_of(a).equal(coord_of(b)));
    for (const auto& [key, tensor] : a.tensors) CHECK(tensor.size(0) == coord_of(a).size(0));
    CHECK(coord_of(a).isfinite().all().item<bool>());
  }
  CHECK_FALSE(coord_of(under(all_random(), 700)).equal(coord_of(under(all_random(), 700, 1))));
}

TEST_CASE("every random transform alone changes with the draw", "[transforms]") {
  for (const ConfigNode& transform : all_random()) {
    INFO(transform.to_line());
    std::set<double> sums;
    for (int64_t item = 0; item < 4; ++item) {
      const Sample s = under({transform}, 500, item);
      const at::Tensor weight = at::arange(1, coord_of(s).numel() + 1, at::kDouble);
      sums.insert((coord_of(s).to(at::kDouble).view(-1) * weight).sum().item<double>() +
                  (s.tensors.at("color").to(at::kDouble).view(-1) * weight).sum().item<double>());
    }
    CHECK(sums.size() > 1);
  }
}

TEST_CASE("rotation keeps distances and turns normals along", "[transforms]") {
  const Sample before = cloud(200);
  Sample after = before;
  for (const char* key : {"coord", "normal"}) after.tensors[key] = before.tensors.at(key).clone();
  rotate(after, 'x', std::acos(-1.) / 2, std::nullopt);
  CHECK(after.tensors["normal"][0][1].item<float>() == Approx(-1));  // z turns to -y
  const Box box = bounding_box(coord_of(before)), turned = bounding_box(coord_of(after));
  CHECK(turned.high[2] - turned.low[2] == Approx(box.high[1] - box.low[1]));
  for (size_t a = 0; a < 3; ++a) CHECK(turned.middle()[a] == Approx(box.middle()[a]).margin(1e-5));
  CHECK(error_of([&] { rotate(after, 'w', 1, std::nullopt); }) ==
        "[rotate] bad axis: got 'w'; valid: x, y, z");
}

TEST_CASE("sphere_crop keeps the nearest points and leaves small clouds alone", "[transforms]") {
  const Sample crop = under({node(
      "sphere_crop", {{"point_max", ConfigNode(int64_t{50})}, {"mode", ConfigNode("center")}})});
  CHECK(coord_of(crop).size(0) == 50);
  CHECK(crop.tensors.at("segment")[0].item<int64_t>() == 250);  // the middle one itself
  const at::Tensor center = coord_of(cloud(500))[250];
  const at::Tensor far = (coord_of(crop) - center).norm(2, 1);
  CHECK(far.equal(std::get<0>(far.sort())));
  CHECK((coord_of(cloud(500)) - center).norm(2, 1).le(far[49]).sum().item<int64_t>() == 50);
  CHECK(coord_of(under({node("sphere_crop")})).equal(coord_of(cloud(500))));
}

TEST_CASE("the elastic field is smooth and refuses huge clouds and wrong noise", "[transforms]") {
  const Sample moved = under({node("elastic_distortion", {{"p", ConfigNode(1.0)}})});
  const at::Tensor push = coord_of(moved) - coord_of(cloud(500));
  CHECK(push.abs().max().item<float>() > .01f);
  CHECK(push.abs().max().item<float>() < 2.f);
  CHECK(holds(error_of([] {
                under({node("random_scale", {{"low", ConfigNode(1e3)}, {"high", ConfigNode(1e3)}}),
                       node("elastic_distortion", {{"p", ConfigNode(1.0)}})});
              }),
              "too large for elastic_distortion"));
  const at::Tensor coord = coord_of(cloud(10)).clone();
  CHECK(holds(error_of([&] {
                elastic(coord, at::zeros({1, 1, 1, 3}), .2, 1);
              }),
              "noise of a wrong size: got [1, 1, 1, 3]"));
}

TEST_CASE("transformed chooses by split, copies and marks itself random", "[transforms]") {
  TransformedParams params;
  params.splits = {"train"};
  params.otherwise = {node("normalize_color")};
  const Transformed both = transformed({node("random_shift"), node("center_shift")}, 100, params);
  const Sample train = both.get(0, {}), test = both.get(1, {});
  CHECK(bounding_box(coord_of(train)).low[2] == Approx(0).margin(1e-6));
  CHECK(coord_of(test).equal(coord_of(cloud(100))));
  CHECK(test.tensors.at("color").max().item<float>() <= 1);
  CHECK(train.tensors.at("color").max().item<float>() > 1);
  CHECK(both.info().random);
  TempDir folder;
  CHECK(holds(error_of([&] { pack(both, folder / "p"); }), "no random transforms"));
  const Transformed fixed = transformed({node("center_shift")}, 100);
  CHECK_FALSE(fixed.info().random);
  CHECK(fixed.info().hash != both.info().hash);
  pack(fixed, folder / "p");
}

TEST_CASE("bad transforms are refused by name", "[transforms]") {
  CHECK(holds(error_of([] { under({node("random_rotat")}); }), "random_rotate"));
  CHECK(holds(error_of([] { under({node("jitter", {})}); }), "unknown transform: got 'jitter'"));
  CHECK(holds(error_of([] {
                under({node("random_jitter", {{"sigma", ConfigNode(-1.0)}})});
              }),
              "dataset.transforms[0].sigma"));
  CHECK(holds(error_of([] {
                under({node("point_clip", {{"low", numbers({0, 0})}})});
              }),
              "point_clip.low"));
  CHECK(holds(error_of([] {
                under({node("point_clip", {{"low", numbers({0, 0, 5})}})});
              }),
              "empty box"));
  TransformedParams params;
  params.splits = {"trian"};
  CHECK(holds(error_of([&] { transformed({node("random_flip")}, 10, params); }), "train"));
  Sample gray = cloud(10);
  gray.tensors.erase("color");
  RandomStream stream(0, "t");
  register_point_transforms();
  CHECK(error_of([&] {
          point_transforms().make(ConfigNode("normalize_color"), "t")->apply(gray, stream);
        }) == "[cloud-train] sample has no color");
}

TEST_CASE("transformed is built from a config", "[transforms]") {
  TempDir folder;
  register_datasets();
  pack(MemoryDataset({cloud(50)}), folder / "p");
  const ConfigNode shards(ConfigNode::Map{{"type", ConfigNode("shards")},
                                          {"root", ConfigNode((folder / "p").string())}});
  const ConfigNode list(ConfigNode::List{node("center_shift"), ConfigNode("shuffle_point")});
  const auto dataset =
      datasets().make(node("transformed", {{"dataset", shards}, {"transforms", list}}), "dataset");
  CHECK(dataset->get(0, {}).tensors.at("coord").size(0) == 50);
}
