// Golden kinds augment, grid_sample and tta_vote: datasets/point_cloud with the draws of the files.
// The data path runs on the CPU whatever the device of the case; votes are added on the device.

#include <numbers>

#include "datasets/point_cloud/grid_sample.h"
#include "datasets/point_cloud/points.h"
#include "datasets/point_cloud/transforms/choose.h"
#include "datasets/point_cloud/transforms/chromatic.h"
#include "datasets/point_cloud/transforms/elastic.h"
#include "datasets/point_cloud/transforms/jitter.h"
#include "datasets/point_cloud/transforms/rotate.h"
#include "datasets/point_cloud/transforms/scale_flip.h"
#include "datasets/point_cloud/transforms/shift.h"
#include "datasets/point_cloud/voting.h"
#include "domains/point_cloud/golden_parts.h"

namespace switchyard::point_golden {
namespace {

const std::vector<std::string> kKeys = {"coord", "normal", "color", "segment"};

/// One case: its sample and typed access to draws and config.
struct AugmentCase {
  const GoldenCase& golden;
  Sample sample;

  explicit AugmentCase(const GoldenCase& c) : golden(c) {
    sample.info.uri = c.name;
    for (const auto& key : kKeys) {
      if (!c.has("inputs/" + key)) continue;
      const at::Tensor rows = c.input(key);
      sample.tensors[key] = key == "segment" ? rows : rows.to(at::kCPU, c.dtype);
    }
  }
  at::Tensor rows(const std::string& key) const { return rows_of(sample, key); }
  at::Tensor draws(const std::string& name = "draw") const {
    return golden.input(name).to(at::kCPU, at::kDouble).contiguous();
  }
  double draw(int64_t i = 0, const std::string& name = "draw") const {
    return draws(name).view(-1)[i].item<double>();
  }
  Row3 draw3(const std::string& name = "draw") const {
    return {draw(0, name), draw(1, name), draw(2, name)};
  }
  template <class T>
  T config(const std::string& key) const {
    return golden.config.at(key).get<T>();
  }
};

void run_rotate(AugmentCase& c) {
  const Json& center = c.golden.config.at("center");
  rotate(c.sample, c.config<std::string>("axis").at(0), c.draw() * std::numbers::pi,
         center.is_null() ? std::nullopt : std::optional(center.get<Row3>()));
}

void run_scale(AugmentCase& c) {
  Row3 factor;
  factor.fill(c.draw());
  scale(c.sample, c.config<bool>("anisotropic") ? c.draw3() : factor);
}

void run_flip(AugmentCase& c) {
  const auto p = c.config<double>("p");
  flip(c.sample, c.draw(0) < p, c.draw(1) < p);
}

void run_elastic(AugmentCase& c) {
  const auto passes = c.config<std::vector<std::array<double, 2>>>("params");
  for (size_t i = 0; i < passes.size(); ++i)
    elastic(c.rows("coord"), c.golden.input(cat("noise", i)).to(at::kCPU, at::kFloat), passes[i][0],
            passes[i][1]);
}

void run_point_clip(AugmentCase& c) {
  const auto range = c.config<std::array<double, 6>>("range");
  point_clip(c.rows("coord"), {{range[0], range[1], range[2]}, {range[3], range[4], range[5]}});
}

void run_sphere_crop(AugmentCase& c) {
  const Json& config = c.golden.config;
  const int64_t count = config.contains("sample_rate") && !config["sample_rate"].is_null()
                            ? share_of(c.rows("coord").size(0), c.config<double>("sample_rate"))
                            : c.config<int64_t>("point_max");
  sphere_crop(c.sample, c.golden.input("center_index").item<int64_t>(), count);
}

/// The fixed recipe of the kind's README: draws come from the file, the parameters are these.
void run_pipeline(AugmentCase& c) {
  center_shift(c.sample, true);
  const Row3 turn = c.draw3("rot_draw");
  rotate(c.sample, 'z', turn[0] * std::numbers::pi, Row3{});
  rotate(c.sample, 'x', turn[1] * std::numbers::pi, std::nullopt);
  rotate(c.sample, 'y', turn[2] * std::numbers::pi, std::nullopt);
  Row3 factor;
  factor.fill(c.draw(0, "scale_draw"));
  scale(c.sample, factor);
  flip(c.sample, c.draw(0, "flip_draw") < .5, c.draw(1, "flip_draw") < .5);
  jitter(c.rows("coord"), c.draws("jitter_draw"), .005, .02);
  auto_contrast(c.rows("color"), c.draw(0, "contrast_draw"));
  chromatic_translation(c.rows("color"), c.draw3("translation_draw"), .05);
  center_shift(c.sample, false);
  normalize_color(c.rows("color"));
}

using Op = std::function<void(AugmentCase&)>;

const std::map<std::string, Op>& ops() {
  static const std::map<std::string, Op> all = {
      {"center_shift", [](AugmentCase& c) { center_shift(c.sample, c.config<bool>("apply_z")); }},
      {"random_shift", [](AugmentCase& c) { translate(c.sample, c.draw3()); }},
      {"rotate", run_rotate},
      {"rotate_target", run_rotate},
      {"scale", run_scale},
      {"flip", run_flip},
      {"jitter",
       [](AugmentCase& c) {
         jitter(c.rows("coord"), c.draws(), c.config<double>("sigma"), c.config<double>("clip"));
       }},
      {"elastic", run_elastic},
      {"point_clip", run_point_clip},
      {"auto_contrast", [](AugmentCase& c) { auto_contrast(c.rows("color"), c.draw()); }},
      {"chromatic_translation",
       [](AugmentCase& c) {
         chromatic_translation(c.rows("color"), c.draw3(), c.config<double>("ratio"));
       }},
      {"chromatic_jitter",
       [](AugmentCase& c) {
         chromatic_jitter(c.rows("color"), c.draws(), c.config<double>("std"));
       }},
      {"normalize_color", [](AugmentCase& c) { normalize_color(c.rows("color")); }},
      {"dropout", [](AugmentCase& c) { take_points(c.sample, c.golden.input("index")); }},
      {"shuffle", [](AugmentCase& c) { take_points(c.sample, c.golden.input("perm")); }},
      {"sphere_crop", run_sphere_crop},
      {"pipeline", run_pipeline}};
  return all;
}

}  // namespace

void run_augment(const GoldenCase& golden, GoldenResult& result) {
  AugmentCase c(golden);
  const auto name = c.config<std::string>("op");
  const auto op = ops().find(name);
  check(op != ops().end(), golden.name, "unknown op: got '", name, "'");
  op->second(c);
  for (const auto& key : kKeys) {
    if (golden.has("outputs/" + key)) result.compare("outputs/" + key, c.sample.tensors.at(key));
  }
}

namespace {

/// Point indices of all fragments, [F, M].
at::Tensor all_fragments(const VoxelGroups& groups) {
  std::vector<at::Tensor> rows;
  for (int64_t i = 0; i < groups.fragments(); ++i) rows.push_back(groups.fragment(i));
  return at::stack(rows);
}

VoxelGroups group(const GoldenCase& c, const at::Tensor& coord, const char* size_key) {
  return {coord, c.config.at(size_key).get<double>(), c.name};
}

VoteView view_from(const Json& json) {
  return {json.at("rot_z_pi").get<double>(), json.at("scale").get<double>(),
          json.at("flip").get<bool>()};
}

}  // namespace

void run_grid_sample(const GoldenCase& c, GoldenResult& result) {
  const at::Tensor coord = c.input("coord").cpu();
  const VoxelGroups groups = group(c, coord, "grid_size");
  const bool train = c.config.at("mode") == "train";
  const at::Tensor index = train ? groups.members(c.input("rand")) : all_fragments(groups);
  const auto chosen = [&](const at::Tensor& rows) {
    auto shape = index.sizes().vec();
    if (rows.dim() == 2) shape.push_back(rows.size(1));
    return rows.index_select(0, index.view(-1)).view(shape);
  };
  const Row3& low = groups.lowest_cell();
  result.compare("outputs/point_grid_coord", groups.point_cell());
  result.compare("outputs/point_key", groups.point_key());
  result.compare("outputs/count", groups.count());
  result.compare("outputs/inverse", groups.inverse());
  result.compare("outputs/min_coord",
                 at::tensor({low[0], low[1], low[2]}, at::kDouble).view({1, 3}) *
                     c.config.at("grid_size").get<double>());
  result.compare("outputs/index", index);
  result.compare("outputs/grid_coord", chosen(groups.point_cell()));
  const auto every = at::arange(coord.size(0), at::kLong);
  result.compare("outputs/displacement", chosen(groups.displacement(coord, every)));
  for (const auto& key : kKeys) {
    if (c.has("outputs/" + key)) result.compare("outputs/" + key, chosen(c.input(key).cpu()));
  }
}

void run_tta_vote(const GoldenCase& c, GoldenResult& result) {
  Sample sample{{{"coord", c.input("coord").cpu()}}, {c.name, "", "", ""}};
  std::optional<at::Tensor> pre_inverse;
  if (!c.config.at("pre_grid_size").is_null()) {
    const VoxelGroups pre = group(c, sample.tensors["coord"], "pre_grid_size");
    const at::Tensor rows = pre.members(c.input("pre_rand"));
    take_points(sample, rows);
    pre_inverse = pre.inverse();
    result.compare("outputs/pre_index", rows);
    result.compare("outputs/pre_inverse", *pre_inverse);
  }
  const int64_t points = sample.tensors["coord"].size(0);
  const at::Tensor votes = at::zeros({points, c.config.at("num_classes").get<int64_t>()},
                                     at::TensorOptions(c.dtype).device(c.device));
  const Json& views = c.config.at("views");
  for (size_t v = 0; v < views.size(); ++v) {
    const std::string out = cat("outputs/view/", v, "/");
    const at::Tensor coord = view_of(sample, view_from(views[v])).tensors["coord"];
    const VoxelGroups groups = group(c, coord, "grid_size");
    const at::Tensor logits = c.input(cat("logits/", v));
    for (int64_t i = 0; i < groups.fragments(); ++i)
      add_votes(votes, groups.fragment(i), logits[i]);
    result.compare(out + "coord", coord);
    result.compare(out + "fragment_index", all_fragments(groups));
    result.compare(out + "grid_coord", groups.point_cell().index_select(0, groups.fragment(0)));
  }
  const at::Tensor predicted = votes.argmax(-1).cpu();
  result.compare("outputs/vote", votes);
  result.compare("outputs/pred", predicted);
  if (pre_inverse) result.compare("outputs/pred_full", predicted.index_select(0, *pre_inverse));
}

}  // namespace switchyard::point_golden
