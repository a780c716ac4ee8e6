#include "domains/point_cloud/model/ptv3.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <chrono>

#include "domains/point_cloud/loss.h"
#include "domains/point_cloud/model/neighbor_map.h"
#include "domains/point_cloud/model/segmentor.h"
#include "tests/domains/point_cloud/support.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("bad configs and clouds are named", "[point_cloud]") {
  auto p = scan_demo();
  p.enc_num_head = {2, 3};
  CHECK(error_of([&] { Ptv3 net(p); }).find("model.enc_num_head") != std::string::npos);
  p = scan_demo();
  p.orders = {"zed"};
  CHECK(error_of([&] { Ptv3 net(p); }).find("hilbert-trans") != std::string::npos);
  const auto grid = at::tensor(std::vector<int64_t>{0, 1, -2}, at::kLong).view({1, 3});
  CHECK(error_of([&] { curve_depth(grid); }).find("negative") != std::string::npos);
  CHECK(error_of([&] {
          serialize(grid.abs(), {0, 2}, {Curve::Z}, 2);
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
