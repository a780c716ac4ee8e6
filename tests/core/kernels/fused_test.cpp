// The fused experts against double precision on the CPU, within the bounds of the type: relative
// error (2-norm) of the value, of the gradients, and of the gradient of the routing weights.

#include "tests/test.h"

#include <ATen/ops/equal.h>

#include "core/bench/device_graph.h"
#include "core/kernels/expert_mlp.h"
#include "core/kernels/route.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

struct Shape {
  int64_t tokens, slots, channels, hidden, width;
  bool gated, bias;
  Activation activation;
};

Assignment mixed(const Shape& s, bool one, const at::Tensor& weight_A, at::Device device) {
  return mixed_slots(s.tokens, s.slots, one, weight_A, device);
}

std::vector<at::Tensor> inputs_of(const Shape& s, bool one) {
  const int64_t n = s.gated ? 2 * s.hidden : s.hidden;
  std::vector<at::Tensor> out = {normal({s.tokens, s.channels}, "x"),
                                 normal({mixed(s, one, {}, at::kCPU).entries()}, "weight"),
                                 .1 * normal({s.slots, n, s.channels}, "in"),
                                 .1 * normal({s.slots, s.width, s.hidden}, "out")};
  if (!s.bias) return out;
  out.push_back(.1 * normal({s.slots, n}, "in_bias"));
  out.push_back(.1 * normal({s.slots, s.width}, "out_bias"));
  return out;
}

DeviceOp op_of(const Shape& s, bool one, ExpertPath path) {
  return [=](const std::vector<at::Tensor>& t) {
    ExpertWeights experts{t[2], {}, t[3], {}};
    if (s.bias) {
      experts.in_bias = t[4];
      experts.out_bias = t[5];
    }
    return expert_mlp(t[0], experts, mixed(s, one, t[1], t[0].device()), s.activation, s.gated,
                      path);
  };
}

double distance(const at::Tensor& got, const at::Tensor& expected) {
  const auto a = got.to(at::kCPU, at::kDouble), b = expected.to(at::kCPU, at::kDouble);
  const double size = b.square().sum().sqrt().item<double>();
  const double off = (a - b).square().sum().sqrt().item<double>();
  return size > 0 ? off / size : off;
}

void check_fused(const Shape& s, bool one, at::ScalarType type, at::Device device) {
  std::vector<at::Tensor> here, exact;
  for (const auto& t : inputs_of(s, one)) {
    here.push_back(t.to(device, type));
    exact.push_back(here.back().to(at::kCPU, at::kDouble));
  }
  const auto expected = value_and_gradients(exact, op_of(s, one, ExpertPath::Grouped));
  const auto op = op_of(s, one, ExpertPath::Fused);
  const auto got = value_and_gradients(here, op), again = value_and_gradients(here, op);
  const double scale = type == at::kFloat ? 1. / 3000 : type == at::kHalf ? .2 : 1;
  for (size_t i = 0; i < got.size(); ++i) {
    INFO(c10::toString(type) << " T " << s.tokens << " E " << s.slots << " " << s.channels << "-"
                             << s.hidden << "-" << s.width << " gated " << s.gated << " bias "
                             << s.bias << " one " << one << " tensor " << i);
    CHECK(distance(got[i], expected[i]) <= scale * (i == 0 ? 6e-3 : i == 2 ? 2e-2 : 1e-2));
    CHECK(at::equal(got[i], again[i]));
  }
}

at::Device gpu() { return at::Device(at::kCUDA, 0); }

}  // namespace

TEST_CASE("fused experts agree with double precision, widths odd and even", "[kernels][cuda]") {
  if (skipped_without_gpu()) return;
  for (const auto type : {at::kBFloat16, at::kHalf, at::kFloat}) {
    for (const int64_t tokens : {0, 1, 37, 1000}) {
      for (const bool gated : {false, true}) {
        check_fused({tokens, 5, 64, 256, 64, gated, false, Activation::GELU}, false, type, gpu());
        check_fused({tokens, 5, 24, 40, 56, gated, true, Activation::SiLU}, false, type, gpu());
        check_fused({tokens, 7, 128, 128, 96, gated, true, Activation::ReLU}, false, type, gpu());
      }
      check_fused({tokens, 3, 256, 264, 256, false, false, Activation::GELUTanh}, false, type,
                  gpu());
    }
  }
}

TEST_CASE("fused experts take all tokens in one expert, and many experts", "[kernels][cuda]") {
  if (skipped_without_gpu()) return;
  for (const int64_t channels : {64, 128, 256}) {
    const Shape s{3000, 4, channels, 512, channels, false, false, Activation::GELU};
    for (const auto type : {at::kBFloat16, at::kFloat}) {
      check_fused(s, true, type, gpu());
      check_fused({2000, 70, channels, 96, channels, channels < 256, false, Activation::SiLU},
                  false, type, gpu());
    }
  }
}

TEST_CASE("fused experts repeat their bits, and a graph replays them", "[kernels][cuda][repeat]") {
  if (skipped_without_gpu()) return;
  const Shape s{5000, 6, 64, 256, 64, false, false, Activation::GELU};
  std::vector<at::Tensor> here;
  for (const auto& t : inputs_of(s, false)) here.push_back(t.to(gpu(), at::kBFloat16));
  const auto op = op_of(s, false, ExpertPath::Fused);
  const auto first = value_and_gradients(here, op);
  for (int repeat = 0; repeat < 20; ++repeat) {
    const auto again = value_and_gradients(here, op);
    for (size_t i = 0; i < first.size(); ++i) CHECK(at::equal(first[i], again[i]));
  }
  const auto logits = normal({s.tokens, s.slots}, "logits").to(gpu(), at::kFloat);
  at::Tensor y;
  const auto run = [&] {
    Assignment a = route_top_k(logits, {Score::Softmax, true, 2}).assignment;
    a.weight = a.weight.to(at::kBFloat16);
    y = expert_mlp(here[0], {here[2], {}, here[3], {}}, a, s.activation, s.gated);
  };
  run();
  const auto eager = y.clone();
  DeviceGraph graph(run);
  y.zero_();
  graph.replay();
  CHECK(at::equal(y.cpu(), eager.cpu()));
}

TEST_CASE("routing weights may stay float beside half experts", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    const Shape s{300, 5, 64, 128, 64, true, true, Activation::SiLU};
    std::vector<at::Tensor> half, mixed, exact;
    for (const auto& t : inputs_of(s, false)) {
      half.push_back(t.to(device, at::kBFloat16));
      mixed.push_back(half.back());
      exact.push_back(half.back().to(at::kCPU, at::kDouble));
    }
    mixed[1] = half[1].to(at::kFloat);
    const auto op = op_of(s, false, ExpertPath::Auto);
    const auto all_half = value_and_gradients(half, op), got = value_and_gradients(mixed, op);
    const auto expected = value_and_gradients(exact, op_of(s, false, ExpertPath::Grouped));
    CHECK(got[2].scalar_type() == at::kFloat);
    for (size_t i = 0; i < got.size(); ++i) CHECK(distance(got[i], expected[i]) <= 2e-2);
    CHECK(at::equal(got[0], all_half[0]));
  }
}

TEST_CASE("experts by blocks agree with grouped ones beyond the borders of blocks and tasks",
          "[kernels]") {
  for (const bool one : {true, false}) {
    const Shape s{6000, 3, 8, 16, 8, true, true, Activation::SiLU};
    const auto blocked = value_and_gradients(inputs_of(s, one), op_of(s, one, ExpertPath::Auto));
    const auto grouped = value_and_gradients(inputs_of(s, one), op_of(s, one, ExpertPath::Grouped));
    for (size_t i = 0; i < grouped.size(); ++i) CHECK(distance(blocked[i], grouped[i]) < 1e-13);
  }
}

TEST_CASE("float experts by blocks agree with double precision at any rows and widths",
          "[kernels]") {
  const auto check_float = [](const Shape& s, bool one) {
    std::vector<at::Tensor> here, exact;
    for (const auto& t : inputs_of(s, one)) {
      here.push_back(t.to(at::kFloat));
      exact.push_back(here.back().to(at::kDouble));
    }
    const auto expected = value_and_gradients(exact, op_of(s, one, ExpertPath::Grouped));
    const auto op = op_of(s, one, ExpertPath::Blocked);
    const auto got = value_and_gradients(here, op), again = value_and_gradients(here, op);
    for (size_t i = 0; i < got.size(); ++i) {
      INFO("T " << s.tokens << " " << s.channels << "-" << s.hidden << "-" << s.width << " gated "
                << s.gated << " tensor " << i);
      CHECK(distance(got[i], expected[i]) <= (i == 0 ? 2e-6 : i == 2 ? 1e-5 : 5e-6));
      CHECK(at::equal(got[i], again[i]));
    }
  };
  for (const int64_t tokens : {0, 1, 4, 37, 300, 2000}) {
    check_float({tokens, 5, 64, 256, 64, false, false, Activation::GELU}, false);
    check_float({tokens, 4, 23, 41, 57, true, true, Activation::SiLU}, false);
  }
  for (const int64_t tokens : {5, 70, 200})
    check_float({tokens, 3, 600, 300, 270, tokens == 70, true, Activation::GELUTanh}, false);
  check_float({5000, 3, 16, 40, 24, false, true, Activation::Mish}, true);
}

TEST_CASE("a path that does not fit is an error", "[kernels]") {
  const Shape s{10, 3, 8, 8, 8, false, false, Activation::ReLU};
  CHECK(error_of([&] {
          op_of(s, false, ExpertPath::Fused)(inputs_of(s, false));
        }).find("half types or float on a GPU") != std::string::npos);
}
