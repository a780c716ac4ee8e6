#include "domains/point_cloud/model/ptv3.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <array>
#include <chrono>
#include <set>

#include "domains/point_cloud/loss.h"
#include "domains/point_cloud/model/neighbor_map.h"
#include "domains/point_cloud/model/segmentor.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Voxels on a few planes, as scans have them: `clouds` times `n`.
PointInput scan_like(int64_t clouds, int64_t n) {
  RandomStream random(1);
  std::vector<int64_t> grid;
  PointInput input;
  input.offset = {0};
  for (int64_t b = 0; b < clouds; ++b) {
    std::set<std::array<int64_t, 3>> seen;
    while (static_cast<int64_t>(seen.size()) < n) {
      std::array<int64_t, 3> p = {random.below(60), random.below(60), random.below(40)};
      p[static_cast<size_t>(random.below(3))] = 10 * random.below(2);
      seen.insert(p);
    }
    for (const auto& p : seen) grid.insert(grid.end(), p.begin(), p.end());
    input.offset.push_back(input.offset.back() + n);
  }
  input.grid_N3 = at::tensor(grid, at::kLong).view({-1, 3});
  input.coord_N3 = input.grid_N3.to(at::kFloat);
  input.feat_NC = at::ones({clouds * n, 5}) * input.coord_N3.narrow(1, 0, 1) / 60;
  return input;
}

Ptv3Params scan_demo() {
  Ptv3Params p;
  p.in_channels = 5;
  p.stride = {2, 2};
  p.enc_depths = {1, 1, 1};
  p.enc_channels = {24, 48, 72};
  p.enc_num_head = {2, 3, 4};
  p.enc_patch_size = {64, 64, 64};
  p.dec_depths = {1, 1};
  p.dec_channels = {24, 48};
  p.dec_num_head = {2, 3};
  p.dec_patch_size = {64, 64};
  p.mlp_ratio = 2;
  p.drop_path = 0;
  p.stem_kernel = 3;
  p.shuffle_orders = false;
  return p;
}

}  // namespace

TEST_CASE("bad configs and clouds are named", "[point_cloud]") {
  auto p = scan_demo();
  p.enc_num_head = {2, 3};
  CHECK(error_of([&] { Ptv3 net(p); }).find("model.enc_num_head") != std::string::npos);
  p = scan_demo();
  p.orders = {"zed"};
  CHECK(error_of([&] { Ptv3 net(p); }).find("hilbert-trans") != std::string::npos);
  const auto grid = at::tensor(std::vector<int64_t>{0, 1, -2}, at::kLong).view({1, 3});
  CHECK(error_of([&] {
          serialize(grid, {0, 1}, {Curve::Z});
        }).find("negative") != std::string::npos);
  CHECK(error_of([&] {
          serialize(grid.abs(), {0, 2}, {Curve::Z});
        }).find("offset") != std::string::npos);
  CHECK(error_of([&] {
          neighbor_map(grid, {0, 1}, 3);
        }).find("grid coordinates") != std::string::npos);
  CHECK(error_of([&] {
          cross_entropy(at::ones({1, 3}), at::tensor(std::vector<int64_t>{5}, at::kLong));
        }).find("got 5") != std::string::npos);
}

TEST_CASE("a segmentor labels every voxel and pools through the context", "[point_cloud]") {
  PointSegmentor net(scan_demo(), 4);
  init_parameters(net, 3);
  ForwardContext context;
  const auto input = scan_like(2, 200);
  const auto logits = net.forward(input, context);
  CHECK(logits.sizes() == at::IntArrayRef{400, 4});
  CHECK(context.depth() == 0);
}

TEST_CASE("time of a scan_demo step", "[.speed]") {
  PointSegmentor net(scan_demo(), 13);
  init_parameters(net, 3);
  const auto input = scan_like(3, 3072);
  for (int i = 0; i < 6; ++i) {
    ForwardContext context;
    const auto start = std::chrono::steady_clock::now();
    const auto loss = net.forward(input, context).square().mean();
    const auto middle = std::chrono::steady_clock::now();
    loss.backward();
    const std::chrono::duration<double> forward = middle - start,
                                        backward = std::chrono::steady_clock::now() - middle;
    WARN("forward " << forward.count() << " s, backward " << backward.count() << " s");
  }
}
