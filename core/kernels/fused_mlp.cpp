#include "core/kernels/fused_mlp.h"

#include "core/base/flop_counter.h"
#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

namespace {

constexpr int64_t kWidest = 256, kWidestGated = 128, kMostSlots = 1024, kMostRows = INT32_MAX;

bool is_half(at::ScalarType type) { return type == at::kBFloat16 || type == at::kHalf; }

/// The kernels of experts of one kind.
struct Kernels {
  void (*rows)(const FusedMlp&, void*);
  FusedGrid (*grid)(const FusedMlp&);
  void (*backward)(const FusedMlpBackward&, const FusedGrid&, void*);
};
Kernels kernels_of(const FusedMlpInput& input) {
  const bool linear = input.experts.is_linear(), simt = input.x_TC.scalar_type() == at::kFloat;
  if (linear && simt)
    return {fused_simt_linear_cuda, fused_simt_linear_grid_cuda, fused_simt_linear_backward_cuda};
  if (linear) return {fused_linear_cuda, fused_linear_grid_cuda, fused_linear_backward_cuda};
  if (simt) return {fused_simt_cuda, fused_simt_grid_cuda, fused_simt_backward_cuda};
  return {fused_mlp_cuda, fused_grid_cuda, fused_mlp_backward_cuda};
}

bool has_kernel(Activation activation) {
  return activation == Activation::ReLU || activation == Activation::GELU ||
         activation == Activation::SiLU || activation == Activation::GELUTanh;
}

void* pointer(const at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; }

/// Errors: more rows than the kernels count.
FusedMlp to_kernel(const FusedMlpInput& f) {
  const int64_t rows = std::max(f.token_of.size(0), f.x_TC.size(0));
  check(rows <= kMostRows, "fused_mlp", "rows: got ", rows, ", expected at most ", kMostRows);
  return {f.x_TC.data_ptr(),
          f.experts.in_ENC.data_ptr(),
          pointer(f.experts.in_bias),
          pointer(f.experts.out_EDH),
          f.token_of.data_ptr<int64_t>(),
          f.slot_offset.data_ptr<int64_t>(),
          f.entry.data_ptr<int64_t>(),
          dtype_of(f.x_TC, "fused_mlp"),
          static_cast<Act>(f.activation),
          f.gated,
          f.token_of.size(0),
          f.experts.in_ENC.size(0),
          f.x_TC.size(1),
          f.experts.is_linear() ? f.experts.width() : f.experts.hidden(),
          f.experts.is_linear() ? 0 : f.experts.width(),
          nullptr};
}

/// Products with the weights of the first layer and of the second, so many times each.
void count_products(const FusedMlpInput& input, const FusedMlp& p, int64_t in, int64_t out) {
  count_grouped(input.slot_offset, p.channels, in * (p.gated ? 2 : 1) * p.hidden);
  count_grouped(input.slot_offset, p.hidden, out * p.width);
}

at::Tensor forward(const FusedMlpInput& input, const at::Tensor& weight_A,
                   const at::Tensor& bias_ED) {
  FusedMlp p = to_kernel(input);
  auto rows_AD = at::empty({p.entries, input.experts.width()}, input.x_TC.options());
  p.rows = rows_AD.data_ptr();
  p.weight = static_cast<const float*>(pointer(weight_A));
  p.out_bias = pointer(bias_ED);
  const c10::DeviceGuard guard(rows_AD.device());
  kernels_of(input).rows(p, current_stream(rows_AD.device()));
  count_products(input, p, 1, 1);
  return rows_AD;
}

}  // namespace

bool fused_mlp_fits(const ExpertSetting& s) {
  const bool half = is_half(s.type), simt = s.type == at::kFloat;
  return s.device == at::kCUDA && ((half && s.warpgroups) || simt) &&
         (s.hidden == 0 || has_kernel(s.activation)) &&
         std::max(s.channels, s.out) <= (s.gated ? kWidestGated : kWidest) && s.channels % 8 == 0 &&
         s.out % 8 == 0 && s.hidden % 8 == 0 && s.experts <= kMostSlots;
}

bool fused_mlp_takes_once(at::ScalarType type) { return is_half(type); }

at::Tensor fused_mlp_rows(const FusedMlpInput& input) { return forward(input, {}, {}); }

at::Tensor fused_mlp_once(const FusedMlpInput& input, const at::Tensor& weight_A,
                          const at::Tensor& bias_ED) {
  return forward(input, weight_A, bias_ED);
}

FusedMlpGrad fused_mlp_backward(const FusedMlpInput& input, const at::Tensor& dy_TD,
                                const at::Tensor& weight_A) {
  const FusedMlp p = to_kernel(input);
  const c10::DeviceGuard guard(dy_TD.device());
  const bool linear = input.experts.is_linear();
  const Kernels run = kernels_of(input);
  const FusedGrid grid = run.grid(p);
  const auto &in = input.experts.in_ENC, &in_bias = input.experts.in_bias;
  FusedMlpGrad out{at::empty_like(input.x_TC),
                   at::empty_like(weight_A),
                   at::empty_like(in),
                   {},
                   linear ? at::Tensor() : at::empty_like(input.experts.out_EDH)};
  const bool in_place = input.once && linear && grid.slices == 1;
  const auto rows_SAC =
      at::empty({grid.slices, in_place ? 0 : p.entries, p.channels}, dy_TD.options());
  const Combine dx{in_place ? nullptr : rows_SAC.data_ptr(),
                   nullptr,
                   nullptr,
                   input.position.data_ptr<int64_t>(),
                   input.token_offset.data_ptr<int64_t>(),
                   nullptr,
                   p.dtype,
                   p.entries,
                   in_place ? 0 : input.x_TC.size(0),
                   p.channels,
                   out.dx_TC.data_ptr(),
                   true};
  if (in_bias.defined()) out.d_in_bias = at::empty_like(in_bias);
  const auto floats = [&](int64_t rows, int64_t columns) {
    return at::empty({rows, columns}, dy_TD.options().dtype(at::kFloat));
  };
  const int64_t parts = grid.blocks + p.slots, in_rows = in.size(1);
  const auto dot = floats(grid.slices, p.entries), in_parts = floats(parts, in_rows * p.channels),
             in_bias_parts = floats(in_bias.defined() ? parts : 0, in_rows),
             out_parts = floats(parts, p.width * p.hidden);
  run.backward({p, dy_TD.data_ptr(), weight_A.data_ptr<float>(), dx, dot.data_ptr<float>(),
                out.dweight.data_ptr<float>(), in_parts.data_ptr<float>(),
                in_bias_parts.data_ptr<float>(), out_parts.data_ptr<float>(), out.d_in.data_ptr(),
                pointer(out.d_in_bias), pointer(out.d_out)},
               grid, current_stream(dy_TD.device()));
  count_products(input, p, linear ? 2 : 3, 2);  // of a MLP, the hidden activation once more
  return out;
}

}  // namespace switchyard
