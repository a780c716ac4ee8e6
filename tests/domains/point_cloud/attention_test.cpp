#include "domains/point_cloud/model/attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include "domains/point_cloud/model/dense_sub_layers.h"
#include "tests/support/moe.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Two clouds of 20 and 9 voxels on a diagonal that leaves the range of the bias.
std::shared_ptr<PointLevel> two_clouds() {
  std::vector<int64_t> grid;
  for (int64_t i = 0; i < 29; ++i) grid.insert(grid.end(), {i, (i * i) % 13, 3 * i});
  const auto all = at::tensor(grid, at::kLong).view({-1, 3});
  return std::make_shared<PointLevel>(all, all.to(at::kDouble), std::vector<int64_t>{0, 20, 29},
                                      std::vector<Curve>{Curve::Z});
}

AttentionConfig config() {
  AttentionConfig c;
  c.channels = 8;
  c.heads = 2;
  c.patch_size = 8;
  return c;
}

std::unique_ptr<SerializedAttention> make(const AttentionConfig& c) {
  auto attention =
      std::make_unique<SerializedAttention>(c, std::make_unique<LinearSubLayer>(c.channels));
  init_parameters(*attention, 5);
  attention->to(at::kCPU, at::kDouble);
  return attention;
}

/// softmax(q k^T scale + bias) v, patch by patch and pair by pair.
at::Tensor by_hand(const SerializedAttention& attention, const AttentionConfig& c,
                   const at::Tensor& x, PointLevel& level) {
  const auto qkv = at::linear(x, view_of(attention, "qkv.weight").value(),
                              view_of(attention, "qkv.bias").value());
  const auto table = view_of(attention, "rpe.rpe_table").value();
  const int64_t bound = relative_position_bound(c.patch_size), width = c.channels / c.heads;
  const auto patches = make_patches(level.offset(), c.patch_size, c.mode);
  const auto order = level.curves().order_RN[0];
  auto out = at::zeros_like(x);
  for (size_t p = 0; p + 1 < patches.cu_seqlens.size(); ++p) {
    std::vector<int64_t> points, answers;  // answers: points whose result is read from this patch
    for (int64_t s = patches.cu_seqlens[p]; s < patches.cu_seqlens[p + 1]; ++s) {
      const auto position = static_cast<size_t>(patches.pad[static_cast<size_t>(s)]);
      points.push_back(order[patches.pad[static_cast<size_t>(s)]].item<int64_t>());
      if (patches.unpad[position] == s) answers.push_back(points.back());
    }
    for (const int64_t i : answers) {
      for (int64_t h = 0; h < c.heads; ++h) {
        std::vector<at::Tensor> scores, values;
        for (const int64_t j : points) {
          auto score =
              (qkv[i].narrow(0, h * width, width) * qkv[j].narrow(0, c.channels + h * width, width))
                  .sum() /
              std::sqrt(static_cast<double>(width));
          for (int64_t a = 0; a < 3; ++a) {
            const auto step = (level.grid()[i][a] - level.grid()[j][a]).item<int64_t>();
            score = score + table[std::clamp(step, -bound, bound) + bound + a * (2 * bound + 1)][h];
          }
          scores.push_back(score);
          values.push_back(qkv[j].narrow(0, 2 * c.channels + h * width, width));
        }
        out[i]
            .narrow(0, h * width, width)
            .copy_((at::softmax(at::stack(scores), 0).unsqueeze(1) * at::stack(values)).sum(0));
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the range of the relative position bias is the published one", "[point_cloud]") {
  CHECK(relative_position_bound(16) == 7);
  CHECK(relative_position_bound(48) == 11);
  CHECK(relative_position_bound(128) == 15);
  CHECK(relative_position_bound(1024) == 31);
}

TEST_CASE("attention with relative positions equals the sum over pairs", "[point_cloud]") {
  auto c = config();
  c.enable_rpe = true;
  c.patch_size = GENERATE(5, 16);
  c.mode = GENERATE(PatchMode::Varlen, PatchMode::Fixed);
  const auto attention = make(c);
  at::NoGradGuard no_grad;
  const auto table = view_of(*attention, "rpe.rpe_table").value();
  table.copy_(normal(table.sizes(), "table"));
  const auto level = two_clouds();
  const auto x = normal({29, 8}, "x");
  CHECK(relative_error(attention->attend(x, *level, 0), by_hand(*attention, c, x, *level)) < 1e-12);
}

TEST_CASE("the gradient of the relative position table is that of finite differences",
          "[point_cloud]") {
  auto c = config();
  c.enable_rpe = true;
  const auto attention = make(c);
  const auto level = two_clouds();
  const auto x = normal({29, 8}, "x"), pull = normal({29, 8}, "pull");
  const auto loss = [&] { return (attention->attend(x, *level, 0) * pull).sum(); };
  loss().backward();
  const auto view = view_of(*attention, "rpe.rpe_table");
  const auto grad = view.grad();
  at::NoGradGuard no_grad;
  const auto direction = normal(grad.sizes(), "direction");
  constexpr double kStep = 1e-5;
  view.value().add_(direction, kStep);
  const double above = loss().item<double>();
  view.value().add_(direction, -2 * kStep);
  const double slope = (above - loss().item<double>()) / (2 * kStep);
  CHECK(slope == Approx((grad * direction).sum().item<double>()).epsilon(1e-7));
}

TEST_CASE("upcasts compute in float and return the type of the input", "[point_cloud]") {
  const auto level = two_clouds();
  const auto x = normal({29, 8}, "x");
  const auto plain = make(config())->attend(x, *level, 0);
  for (const bool whole : {false, true}) {
    auto c = config();
    (whole ? c.upcast_attention : c.upcast_softmax) = true;
    const auto lifted = make(c)->attend(x, *level, 0);
    CHECK(lifted.scalar_type() == at::kDouble);
    CHECK_FALSE(at::equal(lifted, plain));
    CHECK(relative_error(lifted, plain) < 1e-6);
    for (const auto half : {at::kHalf, at::kBFloat16}) {
      const auto attention = make(c);
      attention->to(at::kCPU, half);
      const auto y = attention->attend(x.to(half), *level, 0);
      CHECK(y.scalar_type() == half);
      CHECK(relative_error(y, plain) < .03);
    }
  }
}

TEST_CASE("the scale of the scores can be set and the bias left out", "[point_cloud]") {
  const auto level = two_clouds();
  const auto x = normal({29, 8}, "x");
  auto c = config();
  c.qk_scale = .5;  // of the default for heads of width 4
  CHECK(relative_error(make(c)->attend(x, *level, 0), make(config())->attend(x, *level, 0)) == 0);
  c.qk_scale = 0.;
  const auto even = make(c)->probabilities(x, *level, 0).front();
  CHECK(relative_error(even, at::full_like(even, 1. / 8)) < 1e-12);
  c.qkv_bias = false;
  for (const ParamView& view : make(c)->views()) CHECK(view.name != "qkv.bias");
}
