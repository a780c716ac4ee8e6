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
#include "routers/register.h"
#include "tests/test.h"

using namespace switchyard;

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

Ptv3Params tiny(bool moe) {
  Ptv3Params p;
  p.stride = {2};
  p.enc_depths = {2, 4};
  p.enc_channels = {32, 64};
  p.enc_num_head = {2, 4};
  p.enc_patch_size = {64, 64};
  p.dec_depths = {2};
  p.dec_channels = {64};
  p.dec_num_head = {4};
  p.dec_patch_size = {64};
  p.drop_path = 0;
  p.shuffle_orders = false;
  if (!moe) return p;
  ConfigNode site;
  site.child("router").child("selector").child("type").set_value(std::string("topk"));
  site.child("router").child("selector").child("k").set_value(int64_t{2});
  site.child("experts").child("count").set_value(int64_t{8});
  site.child("experts").child("hidden_mult").set_value(2.0);
  p.moe.child("attn_out_proj") = site;
  return p;
}

class Histograms : public TraceSink {
 public:
  void record(const std::string&, const Assignment& a, const at::Tensor&,
              const ForwardContext&) override {
    const auto count = a.count();
    all.emplace_back(count.const_data_ptr<int64_t>(),
                     count.const_data_ptr<int64_t>() + count.numel());
  }
  std::vector<std::vector<int64_t>> all;
};

struct Expected {
  bool moe, train;
  int64_t parameters;
  double sum, norm;
  std::vector<double> first_row, last_row;
  double loss, gradient_norm, stem_gradient_norm;
  std::vector<int64_t> first_histogram, last_histogram;
};

const std::vector<Expected> kRows = {{false,
                                      false,
                                      1105408,
                                      142200.201852470,
                                      975.698842250,
                                      {-1.48597964, 1.85668954, -3.27361287, .18492584},
                                      {.04790935, -.18986684},
                                      -138.746253842,
                                      25881.1221860,
                                      6537.60942027,
                                      {},
                                      {}},
                                     {false,
                                      true,
                                      1105408,
                                      39981.058641980,
                                      587.158078151,
                                      {-.81514482, 1.05759933, 1.99243386, -2.02806914},
                                      {1.40060329, -1.38100069},
                                      398.546693948,
                                      25118.7274751,
                                      12245.22580456,
                                      {},
                                      {}},
                                     {true,
                                      false,
                                      2359872,
                                      123151.996107448,
                                      911.144422551,
                                      {-1.36745265, -.18925815, .85434052, -.50102908},
                                      {.51970501, -2.41457844},
                                      -140.622667128,
                                      28906.2657448,
                                      7850.66361445,
                                      {0, 693, 0, 21, 1200, 0, 624, 0},
                                      {0, 14, 0, 0, 674, 1215, 635, 0}},
                                     {true,
                                      true,
                                      2359872,
                                      44398.731591316,
                                      566.371243901,
                                      {.54534829, 1.19171748, 2.44944929, -.56458385},
                                      {3.68013273, -1.12697689},
                                      195.937681393,
                                      24335.8883754,
                                      12082.78188906,
                                      {127, 217, 2, 1174, 229, 1, 781, 7},
                                      {755, 45, 81, 0, 818, 796, 42, 1}}};

void check_gradients(const Ptv3& net, const Expected& e) {
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

void run_row(const Expected& e) {
  Ptv3 net(tiny(e.moe));
  fill(net);
  net.train(e.train);
  CHECK(count_parameters(net) == e.parameters);
  Histograms trace;
  ForwardContext context;
  context.training = e.train;
  context.trace = &trace;
  const auto out = net.forward(published_clouds(), context).feat_NC;
  const auto loss = (out * draws(404, out.sizes())).sum();
  loss.backward();
  // The limits of the section; values printed with fewer digits add their rounding.
  const double limit = 1e-10 * e.norm;
  CHECK(std::abs(out.sum().item<double>() - e.sum) < 1e-10 * e.sum + 1e-9);
  CHECK(std::abs(out.norm().item<double>() - e.norm) < limit + 1e-9);
  CHECK(std::abs(loss.item<double>() - e.loss) < limit + 1e-9);
  for (int64_t i = 0; i < 4; ++i)
    CHECK(std::abs(out[0][i].item<double>() - e.first_row[static_cast<size_t>(i)]) < limit + 1e-8);
  for (int64_t i = 0; i < 2; ++i)
    CHECK(std::abs(out[-1][i].item<double>() - e.last_row[static_cast<size_t>(i)]) < limit + 1e-8);
  check_gradients(net, e);
  if (!e.moe) return;
  CHECK(trace.all.front() == e.first_histogram);
  CHECK(trace.all.back() == e.last_histogram);
}

}  // namespace

TEST_CASE("the generators give the published weights and clouds", "[point_cloud][golden]") {
  CHECK(draw(0, 0) == Approx(.8833108082).epsilon(1e-9));
  CHECK(hash64("embedding.stem.conv.weight") == 0x9196b0062a1265d3ull);
  const auto input = published_clouds();
  CHECK(input.offset == std::vector<int64_t>{0, 1112, 1269});
  CHECK(input.feat_NC[0][0].item<double>() == Approx(-.560496804).epsilon(1e-8));
}

TEST_CASE("tiny nets reproduce the published outputs and gradients", "[point_cloud][golden]") {
  register_routers();
  for (const Expected& row : kRows) {
    INFO("moe " << row.moe << ", train " << row.train);
    run_row(row);
  }
}
