// File-free goldens of point-moe spec section 6.3: whole nets on generated weights and clouds.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "core/base/random.h"
#include "core/moe/assignment.h"
#include "core/moe/trace.h"
#include "domains/point_cloud/model/ptv3.h"
#include "routers/losses/balance.h"
#include "routers/register.h"
#include "tests/domains/point_cloud/published_rows.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

double draw(uint64_t seed, int64_t i) {
  return static_cast<double>(mix64(seed + static_cast<uint64_t>(i + 1) * 0x9E3779B97F4A7C15ull) >>
                             11) *
         0x1.0p-53;
}

/// 2u - 1 over the flat tensor.
at::Tensor draws(uint64_t seed, at::IntArrayRef shape) {
  auto out = at::empty(shape, at::kDouble);
  double* values = out.data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) values[i] = 2 * draw(seed, i) - 1;
  return out;
}

at::Tensor published_value(const ParamView& view) {
  const auto r = draws(hash64(view.name), view.value().sizes());
  const auto ends = [&](const char* tail) { return view.name.ends_with(tail); };
  if (ends("running_mean")) return .1 * r;
  if (ends("running_var")) return 1 + .5 * r;
  if (ends(".gate.weight")) return 4 * r / std::sqrt(static_cast<double>(r.size(1)));
  if (r.dim() == 1) return ends("weight") ? 1 + .1 * r : .1 * r;
  return r * std::sqrt(3. * static_cast<double>(r.size(0)) / static_cast<double>(r.numel()));
}

void fill(Module& net) {
  net.to(at::kCPU, at::kDouble);
  for (const ParamView& view : net.views()) {
    if (view.name.find("score_accumulator") != std::string::npos) continue;
    if (view.value().is_floating_point()) view.value().detach().copy_(published_value(view));
  }
}

void add_box(std::vector<int64_t>& grid, uint64_t seed, int64_t nx, int64_t ny, int64_t nz) {
  for (int64_t i = 0; i < nx * ny * nz; ++i) {
    if (draw(seed, i) < .2) grid.insert(grid.end(), {i / (ny * nz), i / nz % ny, i % nz});
  }
}

PointInput published_clouds() {
  std::vector<int64_t> grid;
  add_box(grid, 101, 24, 20, 12);
  const auto first = static_cast<int64_t>(grid.size()) / 3;
  add_box(grid, 202, 10, 10, 8);
  const auto all = at::tensor(grid, at::kLong).view({-1, 3});
  return {all.to(at::kDouble), all, draws(303, {all.size(0), 6}), {0, first, all.size(0)}};
}

ConfigNode moe_site() {
  ConfigNode site;
  site.child("router").child("selector").child("type").set_value(std::string("topk"));
  site.child("router").child("selector").child("k").set_value(int64_t{2});
  site.child("experts").child("count").set_value(int64_t{8});
  site.child("experts").child("hidden_mult").set_value(2.0);
  return site;
}

/// The sizes of the section: published, or two stages.
Ptv3Params net_params(bool base, bool moe) {
  Ptv3Params p;
  if (!base) {
    p.stride = {2};
    p.enc_depths = {2, 4};
    p.enc_channels = {32, 64};
    p.enc_num_head = {2, 4};
    p.enc_patch_size = {64, 64};
    p.dec_depths = {2};
    p.dec_channels = {64};
    p.dec_num_head = {4};
    p.dec_patch_size = {64};
  }
  p.drop_path = 0;
  p.shuffle_orders = false;
  if (moe) p.moe.child("attn_out_proj") = moe_site();
  return p;
}

class Decisions : public TraceSink {
 public:
  void record(const std::string&, const RouterOutput& routed, const ForwardContext&) override {
    const auto count = routed.assignment.count();
    if (histograms.empty()) first_aux = balance_term(routed.scores_TE, count).item<double>();
    histograms.emplace_back(count.const_data_ptr<int64_t>(),
                            count.const_data_ptr<int64_t>() + count.numel());
  }
  std::vector<std::vector<int64_t>> histograms;
  double first_aux = 0;
};

void check_gradients(const Ptv3& net, const PublishedRow& e) {
  double squares = 0;
  for (const ParamView& view : net.views()) {
    if (!view.trainable || !view.grad().defined()) continue;
    const double norm = view.grad().norm().item<double>();
    squares += norm * norm;
    if (view.name == "embedding.stem.conv.weight")
      CHECK(std::abs(norm / e.stem_gradient_norm - 1) < 1e-9);
  }
  CHECK(std::abs(std::sqrt(squares) / e.gradient_norm - 1) < 1e-9);
}

void check_stages(const PublishedRow& e, const std::map<std::string, double>& norm_of) {
  if (e.train || !(e.base || e.moe)) return;
  for (const PublishedNorm& stage : kPublishedNorms) {
    const double expected = !e.base ? stage.tiny_moe : e.moe ? stage.base_moe : stage.base;
    if (expected == 0) continue;
    INFO(stage.module);
    CHECK(std::abs(norm_of.at(stage.module) - expected) < 1e-10 * expected + 1e-8);
  }
}

void check_outputs(const PublishedRow& e, const at::Tensor& out, const at::Tensor& loss) {
  // The limits of the section; values printed with fewer digits add their rounding.
  const double limit = 1e-10 * e.norm;
  CHECK(std::abs(out.sum().item<double>() - e.sum) < 1e-10 * e.sum + 1e-9);
  CHECK(std::abs(out.norm().item<double>() - e.norm) < limit + 1e-9);
  CHECK(std::abs(loss.item<double>() - e.loss) < limit + 1e-9);
  for (int64_t i = 0; i < 4; ++i)
    CHECK(std::abs(out[0][i].item<double>() - e.first_row[static_cast<size_t>(i)]) < limit + 1e-8);
  for (int64_t i = 0; i < 2; ++i)
    CHECK(std::abs(out[-1][i].item<double>() - e.last_row[static_cast<size_t>(i)]) < limit + 1e-8);
}

void run_row(const PublishedRow& e) {
  Ptv3 net(net_params(e.base, e.moe));
  fill(net);
  net.train(e.train);
  CHECK(count_parameters(net) == e.parameters);
  Decisions trace;
  ForwardContext context;
  context.training = e.train;
  context.trace = &trace;
  std::map<std::string, double> norm_of;
  PointHooks hooks;
  hooks.observe = [&](const std::string& module, const at::Tensor& value) {
    norm_of[module] = value.norm().item<double>();
  };
  const auto out = net.forward(published_clouds(), context, hooks).feat_NC;
  const auto loss = (out * draws(404, out.sizes())).sum();
  loss.backward();
  check_outputs(e, out, loss);
  check_stages(e, norm_of);
  check_gradients(net, e);
  if (!e.moe) return;
  CHECK(std::abs(trace.first_aux - e.aux) < 1e-8);
  CHECK(trace.histograms.front() == e.first_histogram);
  CHECK(trace.histograms.back() == e.last_histogram);
}

}  // namespace

TEST_CASE("the generators give the published weights and clouds", "[point_cloud][golden]") {
  CHECK(draw(0, 0) == Approx(.8833108082).epsilon(1e-9));
  CHECK(hash64("embedding.stem.conv.weight") == 0x9196b0062a1265d3ull);
  const auto input = published_clouds();
  CHECK(input.offset == std::vector<int64_t>{0, 1112, 1269});
  CHECK(input.feat_NC[0][0].item<double>() == Approx(-.560496804).epsilon(1e-8));
}

TEST_CASE("whole nets reproduce the published outputs and gradients", "[point_cloud][golden]") {
  register_routers();
  for (const PublishedRow& row : kPublishedRows) {
    INFO("base " << row.base << ", moe " << row.moe << ", train " << row.train);
    run_row(row);
  }
}
