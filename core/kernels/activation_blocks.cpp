#include "core/kernels/activation_blocks.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>

namespace switchyard {
namespace {

constexpr int64_t kBlockElements = 1 << 15;

const char* approximation(Activation activation) {
  return activation == Activation::GELUTanh ? "tanh" : "none";
}

void activate_to(at::Tensor& to, const at::Tensor& z, Activation activation) {
  if (activation == Activation::SiLU)
    at::silu_out(to, z);
  else
    at::gelu_out(to, z, approximation(activation));
}

void slope_to(at::Tensor& to, const at::Tensor& grad, const at::Tensor& z, Activation activation) {
  if (activation == Activation::SiLU)
    at::silu_backward_out(to, grad, z);
  else
    at::gelu_backward_out(to, grad, z, approximation(activation));
}

/// Rows of a block: z with its bias, split where gated.
struct Block {
  at::Tensor gate, up;

  Block(const ExpertHidden& h, int64_t begin, int64_t rows) {
    auto z = h.z.narrow(0, begin, rows);
    if (h.bias_EN.defined()) {
      const auto slot = h.slot_of.index_select(0, h.entry.narrow(0, begin, rows));
      z = z + h.bias_EN.index_select(0, slot);
    }
    const int64_t hidden = h.gated ? z.size(1) / 2 : z.size(1);
    gate = z.narrow(1, 0, hidden);
    if (h.gated) up = z.narrow(1, hidden, hidden);
  }
};

template <class Run>
void for_blocks(const ExpertHidden& h, Run&& run) {
  const int64_t step = std::max<int64_t>(1, kBlockElements / std::max<int64_t>(1, h.z.size(1)));
  const int64_t rows = h.z.size(0), blocks = (rows + step - 1) / step;
  at::parallel_for(0, blocks, 1, [&](int64_t first, int64_t last) {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    for (int64_t b = first; b < last; ++b) run(b * step, std::min(step, rows - b * step));
  });
}

}  // namespace

bool activates_by_blocks(const ExpertHidden& h) {
  const bool exponentials = h.activation == Activation::GELU ||
                            h.activation == Activation::GELUTanh ||
                            h.activation == Activation::SiLU;
  return h.z.is_cpu() && exponentials &&
         (h.z.scalar_type() == at::kFloat || h.z.scalar_type() == at::kDouble);
}

void activate_blocks(const ExpertHidden& h, const at::Tensor& a) {
  for_blocks(h, [&](int64_t begin, int64_t rows) {
    const Block block(h, begin, rows);
    auto to = a.narrow(0, begin, rows);
    activate_to(to, block.gate, h.activation);
    if (h.gated) to.mul_(block.up);
  });
}

void activate_backward_blocks(const ExpertHidden& h, const at::Tensor& da,
                              const at::Tensor& weight_A, const ExpertActivationGrad& out) {
  for_blocks(h, [&](int64_t begin, int64_t rows) {
    const Block block(h, begin, rows);
    const int64_t hidden = da.size(1);
    const auto entry = h.entry.narrow(0, begin, rows), d = da.narrow(0, begin, rows);
    const auto weight = weight_A.index_select(0, entry).unsqueeze(1);
    auto a = out.scaled.narrow(0, begin, rows);
    auto dgate = out.dz.narrow(0, begin, rows).narrow(1, 0, hidden);
    activate_to(a, block.gate, h.activation);
    auto scaled = d * weight;
    if (h.gated) {
      auto dup = out.dz.narrow(0, begin, rows).narrow(1, hidden, hidden);
      at::mul_out(dup, scaled, a);
      a.mul_(block.up);
      scaled.mul_(block.up);
    }
    slope_to(dgate, scaled, block.gate, h.activation);
    out.dweight.index_copy_(0, entry, (a * d).sum(1));
    a.mul_(weight);
  });
}

}  // namespace switchyard
