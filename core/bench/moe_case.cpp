#include "core/bench/moe_case.h"

#include <ATen/Context.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "core/base/random.h"
#include "core/io/npy.h"

namespace switchyard {
namespace {

using Slots = std::function<int64_t(int64_t token, int64_t i)>;

/// Noise below 1, the chosen slots from 4 up, best first.
at::Tensor chosen_logits(const MoeShape& s, const Slots& slot) {
  auto logits = at::empty({s.tokens, s.experts}, at::kFloat);
  float* out = logits.data_ptr<float>();
  RandomStream stream(1, "noise");
  for (int64_t i = 0; i < logits.numel(); ++i) out[i] = static_cast<float>(stream.uniform());
  for (int64_t t = 0; t < s.tokens; ++t)
    for (int64_t i = 0; i < s.k; ++i)
      out[t * s.experts + slot(t, i)] += 4 + static_cast<float>(s.k - i);
  return logits;
}

at::Tensor zipf_logits(const MoeShape& s) {
  auto logits = at::empty({s.tokens, s.experts}, at::kFloat);
  float* out = logits.data_ptr<float>();
  RandomStream stream(1, "zipf");
  for (int64_t i = 0; i < logits.numel(); ++i) {
    const double gumbel = -std::log(-std::log(std::max(stream.uniform(), 1e-12)));
    out[i] = static_cast<float>(gumbel - std::log1p(static_cast<double>(i % s.experts)));
  }
  return logits;
}

at::Tensor recorded_logits(const MoeShape& s, const std::string& file) {
  const auto slots = read_npy(file).to(at::kLong).contiguous();
  check(slots.dim() == 2 && slots.size(0) > 0 && slots.size(1) >= s.k &&
            slots.min().item<int64_t>() >= 0 && slots.max().item<int64_t>() < s.experts,
        file, "recorded routing: got shape ", to_text(slots.sizes().vec()),
        ", expected [tokens, at least ", s.k, "] of slots 0 to ", s.experts - 1);
  const int64_t* slot = slots.data_ptr<int64_t>();
  return chosen_logits(
      s, [&](int64_t t, int64_t i) { return slot[t % slots.size(0) * slots.size(1) + i]; });
}

}  // namespace

std::vector<at::Tensor> MoeCase::leaves() const {
  std::vector<at::Tensor> out = {x_TC, logits_TE, experts.in_ENC};
  for (const at::Tensor& t : {experts.out_EDH, experts.in_bias, experts.out_bias})
    if (t.defined()) out.push_back(t);
  return out;
}

at::Tensor routing_logits(const MoeShape& shape, const std::string& routing) {
  if (routing == "zipf") return zipf_logits(shape);
  if (routing == "one") return chosen_logits(shape, [](int64_t, int64_t i) { return i; });
  if (routing != "balanced") return recorded_logits(shape, routing);
  const auto order = RandomStream(1, "order").permutation(shape.tokens);
  return chosen_logits(shape, [&](int64_t t, int64_t i) {
    return (order[static_cast<size_t>(t)] * shape.k + i) % shape.experts;
  });
}

MoeCase make_moe_case(const MoeShape& shape, const std::string& routing, bool bias, bool train,
                      at::ScalarType type, at::Device device) {
  auto generator = at::globalContext().defaultGenerator(device);
  generator.set_current_seed(1);
  const auto normal = [&](at::IntArrayRef sizes, double scale) {
    return at::randn(sizes, generator, at::TensorOptions(device).dtype(type))
        .mul_(scale)
        .requires_grad_(train);
  };
  const int64_t e = shape.experts, n = shape.in_width(), c = shape.channels, h = shape.hidden;
  MoeCase out{shape, shape.gated ? Activation::SiLU : Activation::GELU, {}, {}, {}, {}};
  out.x_TC = normal({shape.tokens, c}, 1);
  out.logits_TE = routing_logits(shape, routing).to(device).requires_grad_(train);
  out.experts.in_ENC = normal({e, n, c}, .02);
  if (bias) out.experts.in_bias = normal({e, n}, .02);
  if (shape.is_linear()) return out;
  out.experts.out_EDH = normal({e, c, h}, .02);
  if (bias) out.experts.out_bias = normal({e, c}, .02);
  return out;
}

}  // namespace switchyard
