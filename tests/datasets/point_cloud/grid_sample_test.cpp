#include "datasets/point_cloud/grid_sample.h"

#include <ATen/ops/bincount.h>

#include <cmath>

#include "datasets/point_cloud/transforms/transform.h"
#include "datasets/point_cloud/voting.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

at::Tensor random_coord(int64_t points) {
  RandomStream stream(2, "coord");
  return normal_draws(stream, points, 3);
}

}  // namespace

TEST_CASE("voxels partition the points and stand in order of their key", "[grid_sample]") {
  const at::Tensor coord = random_coord(1000);
  const VoxelGroups groups(coord, .4, "test");
  CHECK(groups.count().sum().item<int64_t>() == 1000);
  CHECK(groups.point_cell().min().item<int64_t>() == 0);
  CHECK(at::bincount(groups.inverse()).equal(groups.count()));
  const at::Tensor first = groups.fragment(0);
  CHECK(groups.inverse().index_select(0, first).equal(at::arange(groups.size(), at::kLong)));
  const at::Tensor keys = groups.point_key().index_select(0, first);
  for (int64_t v = 1; v < groups.size(); ++v)
    CHECK(uint64_t(keys[v - 1].item<int64_t>()) < uint64_t(keys[v].item<int64_t>()));
  const at::Tensor low = at::tensor({groups.lowest_cell()[0]}, at::kDouble);
  const at::Tensor cell = (coord / .4).floor().select(1, 0) - low;
  CHECK(groups.point_cell().select(1, 0).equal(cell.to(at::kLong)));
}

TEST_CASE("the key of a cell is the published hash", "[grid_sample]") {
  const at::Tensor coord = at::tensor({.5, .5, .5, 1.5, 2.5, 3.5}, at::kDouble).view({2, 3});
  const VoxelGroups groups(coord, 1, "test");
  uint64_t h = 14695981039346656037ull;
  for (uint64_t cell : {1, 2, 3}) h = (h * 1099511628211ull) ^ cell;
  CHECK(uint64_t(groups.point_key()[1].item<int64_t>()) == h);
}

TEST_CASE("fragments together hold every point", "[grid_sample]") {
  const VoxelGroups groups(random_coord(1000), .4, "test");
  at::Tensor seen = at::zeros({1000}, at::kLong);
  for (int64_t i = 0; i < groups.fragments(); ++i) seen.index_fill_(0, groups.fragment(i), 1);
  CHECK(seen.sum().item<int64_t>() == 1000);
  CHECK(groups.fragments() == groups.count().max().item<int64_t>());
}

TEST_CASE("displacements stay inside the voxel", "[grid_sample]") {
  const at::Tensor coord = random_coord(300);
  const VoxelGroups groups(coord, .3, "test");
  const at::Tensor place = groups.displacement(coord, at::arange(300, at::kLong));
  CHECK(place.abs().max().item<double>() <= .5);
  const Row3 low = groups.lowest_cell();
  const at::Tensor back =
      (place + .5 + groups.point_cell() + at::tensor({low[0], low[1], low[2]}, at::kDouble)) * .3;
  CHECK((back - coord).abs().max().item<double>() < 1e-12);
}

TEST_CASE("clouds that fit no grid are refused; empty ones give no voxel", "[grid_sample]") {
  at::Tensor coord = random_coord(5);
  coord[3][1] = std::nan("");
  CHECK(error_of([&] { VoxelGroups(coord, .1, "scan7"); }) ==
        "[scan7] coord is not finite at point 3");
  coord[3][1] = 1e9;
  CHECK(holds(error_of([&] { VoxelGroups(coord, .1, "scan7"); }), "does not fit the grid"));
  const VoxelGroups none(at::empty({0, 3}, at::kDouble), .1, "none");
  CHECK(none.size() == 0);
  CHECK(none.fragments() == 0);
  const VoxelGroups one(random_coord(1), .1, "one");
  CHECK(holds(error_of([&] { one.members(at::full({1}, -1, at::kLong)); }), "negative pick"));
  CHECK(holds(error_of([&] { one.members(at::zeros({2}, at::kLong)); }), "picks do not fit"));
}

TEST_CASE("transform grid_sample keeps rows together", "[grid_sample]") {
  register_point_transforms();
  Sample sample{{{"coord", random_coord(400)}, {"segment", at::arange(400, at::kLong)}},
                {"s", "d", "g", "train"}};
  const at::Tensor before = sample.tensors["coord"].clone();
  RandomStream stream(1, "t");
  const ConfigNode node(ConfigNode::Map{{"type", ConfigNode("grid_sample")},
                                        {"grid_size", ConfigNode(.5)},
                                        {"displacement", ConfigNode(true)}});
  point_transforms().make(node, "t")->apply(sample, stream);
  CHECK(sample.tensors["coord"].equal(before.index_select(0, sample.tensors["segment"])));
  CHECK(sample.tensors["grid_coord"].sizes() == sample.tensors["coord"].sizes());
  CHECK(sample.tensors["displacement"].sizes() == sample.tensors["coord"].sizes());
}

TEST_CASE("a view turns, scales, flips and leaves its source", "[voting]") {
  Sample sample{{{"coord", at::tensor({1., 0., 2.}, at::kDouble).view({1, 3})},
                 {"normal", at::tensor({0., 1., 0.}, at::kDouble).view({1, 3})}},
                {"s", "d", "g", "test"}};
  const Sample view = view_of(sample, {.5, 2, true});  // (1, 0) -> (0, 1) -> (0, 2) -> (0, -2)
  const at::Tensor expected = at::tensor({0., -2., 4.}, at::kDouble).view({1, 3});
  CHECK((view.tensors.at("coord") - expected).abs().max().item<double>() < 1e-15);
  CHECK(view.tensors.at("normal")[0][0].item<double>() == Approx(1));
  CHECK(sample.tensors["coord"][0][0].item<double>() == 1);
}

TEST_CASE("votes add probabilities at the fragment's points", "[voting]") {
  const at::Tensor votes = at::zeros({3, 2}, at::kDouble);
  const double odds = std::log(3.);
  add_votes(votes, at::tensor({2, 0}, at::kLong),
            at::tensor({odds, 0., 0., 0.}, at::kDouble).view({2, 2}));
  add_votes(votes, at::tensor({2}, at::kLong), at::tensor({0., odds}, at::kFloat).view({1, 2}));
  CHECK(votes[2][0].item<double>() == Approx(1));
  CHECK(votes[2][1].item<double>() == Approx(1));
  CHECK(votes[0][1].item<double>() == Approx(.5));
  CHECK(votes[1].sum().item<double>() == 0);
}
