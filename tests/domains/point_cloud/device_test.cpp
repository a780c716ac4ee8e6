// The point-cloud network's parts on every device against double precision on the CPU.

#include "tests/test.h"

#include "core/config/yaml.h"
#include "core/kernels/subm_conv.h"
#include "domains/point_cloud/model/attention.h"
#include "domains/point_cloud/model/dense_sub_layers.h"
#include "domains/point_cloud/model/neighbor_map.h"
#include "domains/point_cloud/model/segmentor.h"
#include "tests/domains/point_cloud/support.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Value, gradient of the features and of every parameter of the segmentor, all on the CPU.
std::vector<at::Tensor> run_net(PointSegmentor& net, const PointInput& cloud, at::Device device,
                                at::ScalarType type) {
  net.to(device, type);
  for (at::Tensor p : net.parameters()) p.mutable_grad() = at::Tensor();
  PointInput input = cloud;
  input.coord_N3 = cloud.coord_N3.to(device, type);
  input.feat_NC = cloud.feat_NC.to(device, type).detach().requires_grad_(true);
  ForwardContext context;
  context.training = true;
  context.condition = {1, 0};
  const auto y = net.forward(input, context);
  auto loss = (y * normal(y.sizes(), "cotangent").to(y.options())).sum();
  for (const auto& [name, value] : context.losses()) loss = loss + value;
  loss.backward();
  std::vector<at::Tensor> out = {y.detach().cpu(), input.feat_NC.grad().cpu()};
  for (const at::Tensor& p : net.parameters()) {
    out.push_back(p.grad().defined() ? p.grad().cpu()
                                     : at::zeros(p.sizes(), p.options().device(at::kCPU)));
  }
  return out;
}

std::unique_ptr<PointSegmentor> fresh(const Ptv3Params& params) {
  auto net = std::make_unique<PointSegmentor>(params, 4);
  init_parameters(*net, 3);
  return net;
}

/// Point prompt training with everything that reads the condition: norms, contexts, head, router.
std::unique_ptr<PointSegmentor> prompted() {
  auto params = small_ptv3(true);
  params.pdnorm_bn = params.pdnorm_ln = params.pdnorm_adaptive = true;
  params.conditions = 2;
  params.context_channels = 5;
  params.moe.child("attn_out_proj").child("router").child("scorer") =
      parse_yaml("{type: domain_guided, context_channels: 5}", "test");
  const auto embedding = normal({6, 8}, "class_embedding").to(at::kFloat);
  auto net = std::make_unique<PointSegmentor>(
      params, std::make_unique<LanguageHead>(
                  params.out_channels(), embedding, 1.,
                  std::vector<std::vector<int64_t>>{{0, 1, 2, 3}, {1, 3, 4, 5}}));
  init_parameters(*net, 3);
  return net;
}

}  // namespace

TEST_CASE("submanifold convolution agrees on every device, repeats are bit-equal",
          "[point_cloud][kernels][cuda][repeat]") {
  const auto cloud = scan_like(2, 150);
  const auto neighbor = neighbor_map(cloud.grid_N3, cloud.offset, 3);
  check_on_devices({normal({300, 8}, "x"), .1 * normal({6, 3, 3, 3, 8}, "weight")},
                   [&](const std::vector<at::Tensor>& t) {
                     return subm_conv(t[0], t[1], neighbor.to(t[0].device()));
                   });
}

TEST_CASE("every device finds the same neighbours", "[point_cloud][kernels][cuda]") {
  const auto cloud = scan_like(3, 400);
  auto grid = cloud.grid_N3.clone();
  const int64_t shift = GENERATE(0, 60000);
  grid.narrow(0, 0, 5).add_(shift);
  for (const int64_t kernel : {1, 3, 5}) {
    const auto expected = neighbor_map(grid, cloud.offset, kernel);
    CHECK((expected >= 0).sum().item<int64_t>() > 1200 * (kernel > 1));
    for (const at::Device device : devices())
      CHECK(neighbor_map(grid.to(device), cloud.offset, kernel).cpu().equal(expected));
  }
}

TEST_CASE("the reference convolution gives the values and gradients of the fast one",
          "[point_cloud][kernels][cuda]") {
  const auto cloud = scan_like(2, 150);
  const auto neighbor = neighbor_map(cloud.grid_N3, cloud.offset, 5);
  const std::vector<at::Tensor> inputs = {normal({300, 4}, "x"),
                                          .1 * normal({6, 5, 5, 5, 4}, "weight")};
  for (const at::Device device : devices()) {
    const auto run = [&](auto conv) {
      return value_and_gradients(
          {inputs[0].to(device), inputs[1].to(device)},
          [&](const std::vector<at::Tensor>& t) { return conv(t[0], t[1], neighbor.to(device)); });
    };
    const auto fast = run(subm_conv), reference = run(subm_conv_reference);
    for (size_t i = 0; i < fast.size(); ++i)
      CHECK(relative_error(fast[i].cpu(), reference[i].cpu()) < 1e-13);
  }
}

TEST_CASE("serialized attention agrees on every device", "[point_cloud][cuda]") {
  const auto cloud = scan_like(2, 100);
  AttentionConfig config;
  config.heads = 2;
  config.patch_size = 32;
  config.enable_rpe = GENERATE(false, true);
  SerializedAttention attention(config, std::make_unique<LinearSubLayer>(config.channels));
  init_parameters(attention, 3);
  const auto x = normal({200, 16}, "x");
  const auto run = [&](at::Device device, at::ScalarType type) {
    attention.to(device, type);
    for (at::Tensor p : attention.parameters()) p.mutable_grad() = at::Tensor();
    return value_and_gradients({x.to(device, type)}, [&](const std::vector<at::Tensor>& t) {
      PointLevel level(cloud.grid_N3, cloud.coord_N3.to(device, type), cloud.offset,
                       {Curve::Z, Curve::Hilbert});
      ForwardContext context;
      context.start(level.tokens({}));
      return attention.forward(t[0], level, 1, context);
    });
  };
  const auto expected = run(at::kCPU, at::kDouble);
  for (const at::Device device : devices()) {
    for (auto [type, limit] :
         std::vector<std::pair<at::ScalarType, double>>{{at::kDouble, 1e-11}, {at::kFloat, 1e-4}}) {
      const auto got = run(device, type);
      for (size_t i = 0; i < got.size(); ++i) CHECK(relative_error(got[i], expected[i]) < limit);
    }
  }
}

TEST_CASE("PTv3 and Point-MoE agree on every device, forward and backward", "[point_cloud][cuda]") {
  const Deterministic as_in_a_run;
  const auto cloud = scan_like(2, 120);
  for (const bool moe : {false, true}) {
    const auto params = small_ptv3(moe);
    const auto expected = run_net(*fresh(params), cloud, at::kCPU, at::kDouble);
    for (const at::Device device : devices()) {
      const auto got = run_net(*fresh(params), cloud, device, at::kDouble);
      REQUIRE(got.size() == expected.size());
      for (size_t i = 0; i < got.size(); ++i) {
        INFO(device.str() << (moe ? " moe" : " dense") << " tensor " << i);
        CHECK(relative_error(got[i], expected[i]) < 1e-8);
      }
      // In float a near tie may route a token elsewhere, so only the dense net is compared.
      if (!moe)
        CHECK(relative_error(run_net(*fresh(params), cloud, device, at::kFloat)[0], expected[0]) <
              1e-3);
    }
  }
}

TEST_CASE("a prompted Point-MoE agrees on every device, forward and backward",
          "[point_cloud][cuda]") {
  const Deterministic as_in_a_run;
  const auto cloud = scan_like(2, 120);
  const auto expected = run_net(*prompted(), cloud, at::kCPU, at::kDouble);
  for (const at::Device device : devices()) {
    const auto got = run_net(*prompted(), cloud, device, at::kDouble);
    REQUIRE(got.size() == expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      INFO(device.str() << " tensor " << i);
      CHECK(relative_error(got[i], expected[i]) < 1e-8);
    }
  }
}

TEST_CASE("empty and one-point clouds pass through the network", "[point_cloud]") {
  for (const bool moe : {false, true}) {
    for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{1}, {0}, {1, 0, 40}}) {
      PointInput input = scan_like(1, 41);
      input.offset = {0};
      for (const int64_t n : sizes) input.offset.push_back(input.offset.back() + n);
      const int64_t total = input.offset.back();
      input.grid_N3 = input.grid_N3.slice(0, 0, total);
      input.coord_N3 = input.coord_N3.slice(0, 0, total);
      input.feat_NC = input.feat_NC.slice(0, 0, total);
      auto net = fresh(small_ptv3(moe));
      net->train(false);
      ForwardContext context;
      const auto y = net->forward(input, context);
      CHECK(y.sizes() == at::IntArrayRef{total, 4});
      CHECK(y.isfinite().all().item<bool>());
    }
  }
}
