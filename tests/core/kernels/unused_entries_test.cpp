// Experts behind an assignment whose number of entries the device alone knows.

#include "core/kernels/route_top_p.h"

#include "tests/test.h"

#include <limits>

#include "core/bench/device_graph.h"
#include "core/kernels/expert_mlp.h"
#include "core/moe/layer_check.h"
#include "tests/support/device.h"
#include "tests/support/moe.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Logits of tokens that are more and less sure.
at::Tensor some_logits(int64_t tokens, int64_t columns) {
  return normal({tokens, columns}, "logits") * normal({tokens, 1}, "sure").abs() * 2;
}

/// New tensors are full of NaN while this lives.
class NanMemory {
 public:
  NanMemory() { at::globalContext().setDeterministicFillUninitializedMemory(true); }
  ~NanMemory() { at::globalContext().setDeterministicFillUninitializedMemory(false); }

 private:
  Deterministic on_;
};

/// NaN in the weights that are not in use.
void spoil(at::Tensor& weight, int64_t used) {
  weight.narrow(0, used, weight.size(0) - used).fill_(std::numeric_limits<double>::quiet_NaN());
}

/// The layer's errors against the plain loop, with NaN where nothing may look.
void check_consumers(at::Device device, at::ScalarType type, int64_t channels, bool bias) {
  const NanMemory everywhere;
  const int64_t slots = 6, tokens = 700, hidden = 32;
  const auto logits = some_logits(tokens, slots + 2).to(device, at::kFloat);
  Assignment a = route_top_p(logits, {{Score::Softmax, true, slots + 2}, .7, 2}).assignment;
  const auto of = [&](at::IntArrayRef shape, const char* name) {
    return (normal(shape, name) * .3).to(device, type);
  };
  ExpertWeights w{
      of({slots, hidden, channels}, "in"), {}, of({slots, channels, hidden}, "out"), {}};
  if (bias) {
    w.in_bias = of({slots, hidden}, "in_bias");
    w.out_bias = of({slots, channels}, "out_bias");
  }
  a.weight = a.weight.detach().to(type == at::kDouble ? at::kDouble : at::kFloat);
  const auto x = of({tokens, channels}, "x");
  const auto clean = expert_mlp(x, w, a, Activation::SiLU, false);
  CHECK(clean.isfinite().all().item<bool>());
  for (const CheckedError& e : expert_errors({x, w, a, Activation::SiLU, false}, true)) {
    INFO(e.name << " " << e.error);
    CHECK(e.holds());
  }
  spoil(a.weight, a.used());
  CHECK(at::equal(expert_mlp(x, w, a, Activation::SiLU, false), clean));
}

}  // namespace

TEST_CASE("experts, gradients and checks keep to the entries in use", "[kernels][cuda]") {
  for (const at::Device device : devices()) {
    for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
      for (const int64_t channels : {16, 264}) {
        for (const bool bias : {false, true}) {
          INFO(device.str() << " " << c10::toString(type) << " " << channels << " bias " << bias);
          check_consumers(device, type, channels, bias);
        }
      }
    }
  }
}

TEST_CASE("a graph of top-p routing and experts replays with other numbers of entries",
          "[kernels][cuda]") {
  if (skipped_without_gpu()) return;
  const auto device = devices().back();
  for (const int64_t channels : {64, 264}) {
    const auto of = [&](at::IntArrayRef shape, const char* name) {
      return (normal(shape, name) * .1).to(device, at::kBFloat16);
    };
    const auto x = of({900, channels}, "x"), in = of({6, 64, channels}, "in"),
               out = of({6, channels, 64}, "out");
    const auto sure = (some_logits(900, 8) * 5).to(device, at::kFloat),
               unsure = (some_logits(900, 8) * .2).to(device, at::kFloat), logits = sure.clone();
    at::Tensor y, end;
    const auto run = [&] {
      const Assignment a = route_top_p(logits, {{Score::Softmax, true, 8}, .7, 2}).assignment;
      y = expert_mlp(x, {in, {}, out, {}}, a, Activation::SiLU, false);
      end = a.token_offset;
    };
    DeviceGraph graph(run);
    std::vector<int64_t> used;
    for (const auto& now : {sure, unsure}) {
      logits.copy_(now);
      graph.replay();
      const auto replayed = y.clone(), replayed_end = end.clone();
      Assignment a = route_top_p(now, {{Score::Softmax, true, 8}, .7, 2}).assignment;
      CHECK(at::equal(replayed_end, a.token_offset));
      CHECK(at::equal(replayed, expert_mlp(x, {in, {}, out, {}}, a, Activation::SiLU, false)));
      used.push_back(a.used());
    }
    CHECK(used[0] * 3 < used[1] * 2);
  }
}
