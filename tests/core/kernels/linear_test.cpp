// Experts of one linear map against the loop over them in double precision, and against one dense
// map.

#include "tests/test.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>

#include "core/bench/device_graph.h"
#include "core/kernels/expert_linear.h"
#include "core/kernels/route.h"
#include "core/moe/layer_check.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

struct Size {
  int64_t tokens, slots, channels, width;
  bool bias;
};

ExpertOperands operands_of(const Size& s, bool one, at::ScalarType type, at::Device device) {
  const auto put = [&](const at::Tensor& t) { return t.to(device, type); };
  const Assignment slots = mixed_slots(s.tokens, s.slots, one, {}, device);
  ExpertOperands out{put(normal({s.tokens, s.channels}, "x")), {}, slots, Activation::ReLU, false};
  out.assignment.weight = put(normal({slots.entries()}, "weight"));
  out.experts.in_ENC = put(.1 * normal({s.slots, s.width, s.channels}, "in"));
  if (s.bias) out.experts.in_bias = put(.1 * normal({s.slots, s.width}, "bias"));
  return out;
}

void check_errors(const Size& s, bool one, at::ScalarType type, at::Device device) {
  for (const CheckedError& e : expert_errors(operands_of(s, one, type, device), true)) {
    INFO(device.str() << " " << c10::toString(type) << " T " << s.tokens << " E " << s.slots << " "
                      << s.channels << "-" << s.width << " bias " << s.bias << " one " << one << " "
                      << e.name << " " << e.error);
    CHECK(e.holds());
  }
}

DeviceOp op_of(const Size& s, bool one, ExpertPath path) {
  return [=](const std::vector<at::Tensor>& t) {
    ExpertWeights experts{t[2], s.bias ? t[3] : at::Tensor(), {}, {}};
    return expert_linear(t[0], experts, mixed_slots(s.tokens, s.slots, one, t[1], t[0].device()),
                         path);
  };
}

std::vector<at::Tensor> tensors_of(const ExpertOperands& o) {
  std::vector<at::Tensor> out = {o.x_TC, o.assignment.weight, o.experts.in_ENC};
  if (o.experts.in_bias.defined()) out.push_back(o.experts.in_bias);
  return out;
}

}  // namespace

TEST_CASE("linear experts agree with the loop over them in every type", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const int64_t tokens : {0, 1, 37, 300}) {
        check_errors({tokens, 5, 64, 64, true}, false, type, device);
        check_errors({tokens, 5, 24, 56, false}, false, type, device);
        check_errors({tokens, 7, 128, 96, true}, false, type, device);
        check_errors({tokens, 3, 23, 17, true}, false, type, device);
      }
      check_errors({700, 4, 64, 64, true}, true, type, device);
      check_errors({700, 20, 64, 56, true}, false, type, device);
      check_errors({500, 3, 256, 200, true}, false, type, device);
      check_errors({300, 3, 264, 300, true}, false, type, device);
    }
  }
}

TEST_CASE("the fused linear experts agree beyond one tile, one block and one slice",
          "[kernels][cuda]") {
  if (skipped_without_gpu()) return;
  for (const auto type : {at::kBFloat16, at::kHalf, at::kFloat}) {
    const double scale = type == at::kFloat ? 1. / 3000 : type == at::kHalf ? .2 : 1;
    for (const int64_t channels : {64, 128, 256}) {
      for (const bool one : {false, true}) {
        const int64_t tokens = channels == 64 ? 40000 : 640000 / channels;
        const Size s{tokens, one ? 4 : 70, channels, channels == 64 ? 40 : channels, true};
        const auto here = tensors_of(operands_of(s, one, type, devices()[1]));
        std::vector<at::Tensor> exact;
        for (const auto& t : here) exact.push_back(t.to(at::kCPU, at::kDouble));
        const auto got = value_and_gradients(here, op_of(s, one, ExpertPath::Fused)),
                   expected = value_and_gradients(exact, op_of(s, one, ExpertPath::Grouped));
        for (size_t i = 0; i < got.size(); ++i) {
          INFO(c10::toString(type) << " " << channels << " one " << one << " tensor " << i);
          CHECK(relative_l2(got[i].cpu(), expected[i]) <= scale * (i == 0   ? 6e-3
                                                                   : i == 2 ? 2e-2
                                                                            : 1e-2));
        }
      }
    }
  }
}

TEST_CASE("equal linear experts are one dense map", "[kernels][cuda]") {
  const auto x = normal({300, 16}, "x"), weight = normal({24, 16}, "in"), bias = normal({24}, "b");
  const auto p_TK = at::softmax(normal({300, 3}, "p"), 1);
  for (const at::Device device : devices()) {
    const auto put = [&](const at::Tensor& t) { return t.to(device); };
    const auto expected = at::linear(x, weight, bias);
    const auto slots = route_top_k(put(normal({300, 5}, "logits")), {Score::Softmax, true, 3});
    Assignment assignment = slots.assignment;
    assignment.weight = put(p_TK.reshape({-1}));
    const ExpertWeights experts{
        put(weight.unsqueeze(0).repeat({5, 1, 1})), put(bias.unsqueeze(0).repeat({5, 1})), {}, {}};
    CHECK(relative_l2(expert_linear(put(x), experts, assignment).cpu(), expected) < 1e-13);
  }
}

TEST_CASE("linear experts agree on every device, repeats are bit-equal",
          "[kernels][cuda][repeat]") {
  const Size s{900, 6, 64, 64, true};
  check_on_devices(tensors_of(operands_of(s, false, at::kDouble, at::kCPU)),
                   op_of(s, false, ExpertPath::Auto));
}

TEST_CASE("a graph replays linear experts", "[kernels][cuda]") {
  if (skipped_without_gpu()) return;
  const auto logits = normal({5000, 6}, "logits").to(devices()[1], at::kFloat);
  const auto o = operands_of({5000, 6, 64, 64, true}, false, at::kBFloat16, devices()[1]);
  at::Tensor y;
  const auto run = [&] {
    const auto routed = route_top_k(logits, {Score::Softmax, true, 2});
    y = expert_linear(o.x_TC, o.experts, routed.assignment);
  };
  run();
  const auto eager = y.clone();
  DeviceGraph graph(run);
  y.zero_();
  graph.replay();
  CHECK(at::equal(y, eager));
}

TEST_CASE("paths that linear experts do not have are errors", "[kernels]") {
  const auto o = operands_of({10, 3, 8, 8, false}, false, at::kFloat, at::kCPU);
  const auto error = [&](ExpertPath path) {
    return error_of(
        [&] { expert_mlp(o.x_TC, o.experts, o.assignment, Activation::ReLU, false, path); });
  };
  CHECK(error(ExpertPath::Fused).find("on a GPU") != std::string::npos);
  CHECK(error(ExpertPath::Blocked).find("linear") != std::string::npos);
}
