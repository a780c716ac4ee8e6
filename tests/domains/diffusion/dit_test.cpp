// Published sizes and names of DiT and its mixtures (promoe spec, sections 1.8, 2.6, 3 and 5.1),
// and what holds for any weights.

#include "domains/diffusion/model/dit.h"

#include <set>

#include <ATen/core/grad_mode.h>

#include "core/config/compose.h"
#include "core/moe/layer.h"
#include "core/nn/module.h"
#include "domains/diffusion/flow.h"
#include "domains/diffusion/model/bare_dit.h"
#include "routers/register.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// The node `model` that the shipped configs compose.
ConfigNode preset(const std::string& size, const std::string& moe,
                  const std::vector<std::string>& more = {}) {
  register_routers();
  std::vector<std::string> overrides = {"model=diffusion/dit_" + size, "moe=" + moe};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return *Composer({source_dir() / "configs"}).compose("config", overrides).find("model");
}

std::unique_ptr<Module> network(const std::string& size, const std::string& moe,
                                const std::vector<std::string>& more = {}) {
  return bare_dit(preset(size, moe, more), {});
}

/// With the fixed table, as the spec counts.
int64_t published_count(const Module& net) {
  int64_t count = count_parameters(net);
  for (const ParamView& view : net.views())
    if (view.name == "pos_embed") count += view.value().numel();
  return count;
}

/// A small network with every path open: no layer starts at zero.
std::unique_ptr<Dit> small_net(const std::string& moe) {
  auto params = parse_params<DitParams>(
      preset("s", moe,
             {"model.input_size=8", "model.hidden_size=24", "model.depth=2", "model.num_heads=3",
              "model.num_classes=5", "model.class_dropout_prob=0"}),
      "model", {"type"});
  auto net = std::make_unique<Dit>(params);
  const at::NoGradGuard no_grad;
  for (const ParamView& view : net->views()) {
    if (view.trainable) view.value().copy_(.3 * normal(view.value().sizes(), view.name));
  }
  net->train(false);
  net->to(at::kCPU, at::kDouble);
  return net;
}

DitInput small_input(int64_t batch) {
  return {normal({batch, 4, 8, 8}, "x"), 100 * normal({batch}, "t").abs(),
          at::arange(batch, at::kLong).remainder(6)};
}

at::Tensor out_of(Dit& net, const DitInput& input) {
  const at::NoGradGuard no_grad;
  ForwardContext context;
  return net.forward(input, context);
}

}  // namespace

TEST_CASE("DiT-S and its mixtures have the published sizes", "[diffusion]") {
  const std::map<std::string, int64_t> expected = {{"none", 32963360},      {"promoe_tc", 75543584},
                                                   {"promoe_ec", 75543584}, {"tc_dit", 82607648},
                                                   {"ec_dit", 82607648},    {"diffmoe", 83513168}};
  for (const auto& [moe, count] : expected) {
    INFO(moe);
    const auto net = network("s", moe);
    CHECK(published_count(*net) == count);
  }
}

TEST_CASE("a ProMoE layer has the published names", "[diffusion]") {
  const auto net = network("s", "promoe_tc");
  std::map<std::string, std::vector<int64_t>> found;
  for (const ParamView& view : net->views()) found[view.name] = view.value().sizes().vec();
  CHECK(found.size() == 450);
  const std::string at = "blocks.5.mlp.";
  CHECK(found.at(at + "cluster_centers") == std::vector<int64_t>{12, 384});
  CHECK(found.at(at + "experts.12.up_proj.weight") == std::vector<int64_t>{768, 384});
  CHECK(found.at(at + "experts.12.down_proj.bias") == std::vector<int64_t>{384});
  CHECK(found.at(at + "shared_expert.down_proj.weight") == std::vector<int64_t>{384, 768});
  CHECK(found.at("blocks.4.mlp.fc1.weight") == std::vector<int64_t>{1536, 384});
  CHECK(found.at("y_embedder.embedding_table.weight") == std::vector<int64_t>{1001, 384});
  CHECK(found.count("blocks.4.mlp.cluster_centers") == 0);
  const auto diffmoe = network("s", "diffmoe");
  std::set<std::string> names;
  for (const ParamView& view : diffmoe->views()) names.insert(view.name);
  for (const char* name : {"gate_weight", "expert_threshold", "ema_decay", "experts.7.fc2.bias",
                           "capacity_predictor.0.weight", "capacity_predictor.2.bias"})
    CHECK(names.count(std::string("blocks.1.mlp.") + name) == 1);
}

TEST_CASE("the label table of a checkpoint sets the number of classes", "[diffusion]") {
  const NamedTensors weights = {{"y_embedder.embedding_table.weight", at::zeros({8, 384})}};
  const auto net = bare_dit(preset("s", "none"), weights);
  CHECK(dynamic_cast<const Dit&>(*net).params().num_classes == 7);
}

TEST_CASE("a fresh network predicts zeros", "[diffusion]") {
  auto params = parse_params<DitParams>(
      preset("s", "promoe_tc", {"model.input_size=8", "model.depth=2"}), "model", {"type"});
  Dit net(params);
  init_parameters(net, 1);
  ForwardContext context;
  const auto out = net.forward({normal({2, 4, 8, 8}, "x").to(at::kFloat), at::tensor({10.f, 900.f}),
                                at::tensor({int64_t{3}, int64_t{1000}})},
                               context);
  CHECK(out.sizes() == at::IntArrayRef{2, 8, 8, 8});
  CHECK(out.abs().max().item<double>() == 0);
}

TEST_CASE("images of a batch do not see each other, except under batch-wide choice",
          "[diffusion]") {
  for (const std::string moe : {"none", "promoe_tc", "promoe_ec", "tc_dit", "ec_dit"}) {
    INFO(moe);
    const auto net = small_net(moe);
    const DitInput all = small_input(6);
    const auto whole = out_of(*net, all);
    const DitInput one = {all.x.narrow(0, 4, 2), all.t.narrow(0, 4, 2), all.y.narrow(0, 4, 2)};
    CHECK(relative_error(out_of(*net, one), whole.narrow(0, 4, 2)) < 1e-12);
  }
}

TEST_CASE("images without a class go to their own expert with weight one", "[diffusion]") {
  const auto net = small_net("promoe_tc");
  DitInput input = small_input(4);
  input.y = at::tensor({int64_t{0}, int64_t{5}, int64_t{2}, int64_t{5}});  // 5: none
  const auto before = out_of(*net, input);
  const at::NoGradGuard no_grad;
  for (const ParamView& view : net->views()) {
    if (view.name.find("experts.12.up_proj.weight") != std::string::npos) view.value().mul_(2);
  }
  const auto change = (out_of(*net, input) - before).flatten(1).abs().amax(1);
  CHECK(change[0].item<double>() == 0);
  CHECK(change[2].item<double>() == 0);
  CHECK(change[1].item<double>() > 0);
  CHECK(change[3].item<double>() > 0);
}

TEST_CASE("labels are dropped in training alone, at the given rate", "[diffusion]") {
  LabelEmbedder labels(3, 8);
  const auto y = at::tensor({int64_t{0}, int64_t{1}, int64_t{2}});
  const auto dropped = labels.dropped(y, at::tensor({1, 0, 1}).to(at::kBool));
  CHECK(dropped.equal(at::tensor({int64_t{3}, int64_t{1}, int64_t{3}})));
  CHECK(error_of([&] { labels.forward(at::tensor({int64_t{4}})); }).find("0 .. 3") !=
        std::string::npos);
}

TEST_CASE("DiT refuses what does not fit", "[diffusion]") {
  const auto error = [](const std::vector<std::string>& more) {
    return error_of([&] { network("s", "none", more); });
  };
  CHECK(error({"model.patch_size=3"}).find("patch_size 3") != std::string::npos);
  CHECK(error({"model.num_heads=7"}).find("divisor of hidden_size") != std::string::npos);
  CHECK(error({"++model.moe.attn={}"}).find("mlp") != std::string::npos);
  const auto net = small_net("none");
  DitInput input = small_input(2);
  input.x = input.x.narrow(2, 0, 6);
  CHECK(error_of([&] { out_of(*net, input); }).find("[B, 4, 8, 8]") != std::string::npos);
  input = small_input(2);
  input.y = at::tensor({int64_t{0}, int64_t{6}});
  CHECK(error_of([&] { out_of(*net, input); }).find("label out of range") != std::string::npos);
}

TEST_CASE("a constant velocity carries noise to the same place by any method", "[diffusion]") {
  const auto noise = normal({2, 1, 2, 2}, "noise"), velocity = normal({2, 1, 2, 2}, "velocity");
  const auto constant = [&](const at::Tensor&, double) { return velocity; };
  const auto grid = flow_grid(7, 3, 1);
  CHECK(relative_error(euler(noise, grid, constant), noise - velocity) < 1e-12);
  CHECK(relative_error(heun(noise, grid, constant, false), noise - velocity) < 1e-12);
  CHECK(grid[0].item<double>() == 1);
  CHECK(grid[7].item<double>() == 0);
}

TEST_CASE("Heun's method is of second order where Euler's is of first", "[diffusion]") {
  // dx/dsigma = x: from sigma 1 to 0 the state shrinks by e.
  const auto x = at::ones({1, 1, 1, 1}, at::kDouble);
  const auto itself = [](const at::Tensor& state, double) { return state; };
  const auto error = [&](bool second, int64_t steps) {
    const auto grid = flow_grid(steps, 1, 1);
    const auto end = second ? heun(x, grid, itself, false) : euler(x, grid, itself);
    return std::abs(end.item<double>() - std::exp(-1.0));
  };
  CHECK(error(false, 20) / error(false, 40) == Approx(2).epsilon(.1));
  CHECK(error(true, 20) / error(true, 40) == Approx(4).epsilon(.1));
}

TEST_CASE("the domain condition matters, and is dropped with the label and alone",
          "[diffusion][dit]") {
  auto params = parse_params<DitParams>(
      preset("s", "none",
             {"model.input_size=8", "model.hidden_size=24", "model.depth=1", "model.num_heads=3",
              "model.num_classes=5", "model.num_domains=2", "model.class_dropout_prob=1"}),
      "model", {"type"});
  Dit net(params);
  {
    const at::NoGradGuard no_grad;
    for (const ParamView& view : net.views())
      if (view.trainable) view.value().copy_(.3 * normal(view.value().sizes(), view.name));
  }
  net.to(at::kCPU, at::kDouble);
  net.train(false);
  DitInput input = small_input(3);
  CHECK(error_of([&] { out_of(net, input); }).find("expected 3 domains") != std::string::npos);
  const auto with = [&](int64_t domain) {
    input.domain = at::full({3}, domain, at::kLong);
    return out_of(net, input);
  };
  CHECK_FALSE(with(0).allclose(with(1)));
  CHECK_FALSE(with(0).allclose(with(2)));
  CHECK(error_of([&] { with(3); }).find("label out of range") != std::string::npos);

  net.train(true);
  const at::NoGradGuard no_grad;
  ForwardContext context;
  context.training = true;
  const auto dropped =
      net.forward(input = {input.x, input.t, input.y, at::zeros({3}, at::kLong)}, context);
  net.train(false);
  input.y = at::full({3}, 5, at::kLong);
  CHECK(dropped.equal(with(2)));
}
