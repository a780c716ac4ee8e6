#include "domains/point_cloud/cloud_input.h"

#include "datasets/point_cloud/transforms/rows.h"
#include "domains/point_cloud/voting_scan.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

Sample scan_of(int64_t points) {
  RandomStream stream(4, "scan");
  const at::Tensor coord = normal_draws(stream, points, 3).to(at::kFloat);
  return {{{"coord", coord},
           {"normal", at::ones({points, 3})},
           {"intensity", at::arange(points).to(at::kFloat)},
           {"segment", at::arange(points, at::kLong)}},
          {"scan", "d", "g", "test"}};
}

VoxelParams coarse() {
  VoxelParams params;
  params.grid = .5;
  return params;
}

std::shared_ptr<const CloudInput> input_of(const std::vector<std::string>& features) {
  return make_cloud_input(coarse(), features);
}

/// Every fragment's voxels are unique and its rows are the points it shows; together: all points.
void check_fragments(const std::vector<VoxelFragment>& fragments, const Sample& scan) {
  at::Tensor seen = at::zeros({scan.tensors.at("coord").size(0)}, at::kLong);
  for (const auto& [cloud, rows] : fragments) {
    CHECK(cloud.coord.equal(scan.tensors.at("coord").index_select(0, rows)));
    CHECK(cloud.segment.equal(scan.tensors.at("segment").index_select(0, rows)));
    CHECK(cloud.feat.size(0) == rows.size(0));
    seen.index_fill_(0, rows, 1);
  }
  CHECK(seen.min().item<int64_t>() == 1);
}

}  // namespace

TEST_CASE("features are collected from keys in the order of the config", "[point_cloud]") {
  const auto input = input_of({"intensity", "normal"});
  CHECK(input->channel_names() == std::vector<std::string>{"intensity", "nx", "ny", "nz"});
  const Sample scan = scan_of(300);
  const VoxelCloud cloud = input->whole(scan, RandomStream(1, "v"));
  CHECK(cloud.feat.sizes() == at::IntArrayRef({cloud.grid_coord.size(0), 4}));
  CHECK(cloud.feat.select(1, 0).to(at::kLong).equal(cloud.segment));
  CHECK(cloud.inverse.index_select(0, cloud.segment)
            .equal(at::arange(cloud.segment.size(0), at::kLong)));
  CHECK(error_of([] { input_of({"colour"}); }).find("unknown feature") != std::string::npos);
  CHECK(error_of([&] {
          input_of({"color"})->whole(scan, RandomStream(1, "v"));
        }).find("sample has no color, which task.features asks for") != std::string::npos);
}

TEST_CASE("training takes what the transforms sampled, evaluation what they did not",
          "[point_cloud]") {
  const auto input = input_of({"coord", "displacement"});
  Sample scan = scan_of(20);
  CHECK(error_of([&] { input->train(scan, RandomStream(0, "t")); }).find("has no grid_coord") !=
        std::string::npos);
  CHECK(input->whole(scan, RandomStream(1, "v")).feat.size(1) == 6);
  scan.tensors["grid_coord"] = at::zeros({20, 3}, at::kLong);
  scan.tensors["displacement"] = at::zeros({20, 3});
  CHECK(input->train(scan, RandomStream(0, "t")).feat.size(0) == 20);
  CHECK(error_of([&] { input->whole(scan, RandomStream(0, "t")); }).find("grid-sampled already") !=
        std::string::npos);
}

TEST_CASE("fragments of both inputs hold every point", "[point_cloud][voting]") {
  const Sample scan = scan_of(400);
  check_fragments(input_of({"normal"})->fragments(scan), scan);
  check_fragments(input_of({})->fragments(scan), scan);
}

TEST_CASE("a voting scan thins by its pre-grid and spreads results back", "[point_cloud][voting]") {
  const Sample scan = scan_of(400);
  const VotingScan whole(scan, input_of({"normal"}), {"indoor13", std::nullopt},
                         RandomStream(1, "v"));
  CHECK(whole.views() == 13);
  CHECK(whole.voting_points() == 400);
  const VotingScan thin(scan, input_of({"normal"}), {"outdoor10", .3}, RandomStream(1, "v"));
  CHECK(thin.views() == 10);
  CHECK(thin.voting_points() < 400);
  CHECK(thin.coord().size(0) == 400);
  CHECK(thin.spread(at::zeros({thin.voting_points(), 2})).size(0) == 400);
  check_fragments(thin.fragments(2), [&] {  // view 2 is the scan as it is
    Sample voting = scan;
    at::Tensor rows = at::full({thin.voting_points()}, -1, at::kLong);
    const auto fragments = thin.fragments(2);
    for (const auto& f : fragments) rows.index_copy_(0, f.rows, f.cloud.segment);
    for (auto& [key, tensor] : voting.tensors) tensor = tensor.index_select(0, rows);
    return voting;
  }());
}
