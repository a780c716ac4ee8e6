#include "core/kernels/fused_mlp.h"

#include "core/kernels/device_call.h"

namespace switchyard {

using namespace kernels;

namespace {

constexpr int64_t kWidest = 256, kMostSlots = 1024, kParts = 96;

bool has_kernel(Activation activation) {
  return activation == Activation::ReLU || activation == Activation::GELU ||
         activation == Activation::SiLU || activation == Activation::GELUTanh;
}

void* pointer(const at::Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; }

FusedMlp to_kernel(const FusedMlpInput& f) {
  return {f.x_TC.data_ptr(),
          f.experts.in_ENC.data_ptr(),
          pointer(f.experts.in_bias),
          f.experts.out_EDH.data_ptr(),
          f.token_of.data_ptr<int64_t>(),
          f.slot_offset.data_ptr<int64_t>(),
          f.entry.data_ptr<int64_t>(),
          dtype_of(f.x_TC, "fused_mlp"),
          static_cast<Act>(f.activation),
          f.gated,
          f.token_of.size(0),
          f.experts.in_ENC.size(0),
          f.x_TC.size(1),
          f.experts.out_EDH.size(2),
          f.experts.out_EDH.size(1),
          nullptr};
}

/// Runs a kernel on the stream of `like`.
template <class Params>
void launch_on(const at::Tensor& like, const Params& params, void (*run)(const Params&, void*)) {
  const c10::DeviceGuard guard(like.device());
  run(params, current_stream(like.device()));
}

void add_weight_gradients(const FusedMlpInput& input, const FusedMlpBackward& backward,
                          FusedMlpGrad& out) {
  const FusedMlp& p = backward.forward;
  const int64_t rows = (p.entries / kParts + kPartStep) / kPartStep * kPartStep;
  const int64_t parts = fused_parts(p.entries, p.slots, rows);
  const auto floats = [&](int64_t width, int64_t inner) {
    return at::empty({parts, width, inner}, input.x_TC.options().dtype(at::kFloat));
  };
  const auto &in = input.experts.in_ENC, &in_bias = input.experts.in_bias;
  out.d_in = at::empty_like(in);
  out.d_out = at::empty_like(input.experts.out_EDH);
  if (in_bias.defined()) out.d_in_bias = at::empty_like(in_bias);
  const auto in_parts = floats(in.size(1), p.channels), out_parts = floats(p.width, p.hidden),
             bias_parts = floats(in_bias.defined() ? in.size(1) : 0, 1);
  launch_on(in,
            FusedMlpWeights{backward, rows, parts, in_parts.data_ptr<float>(),
                            bias_parts.data_ptr<float>(), out_parts.data_ptr<float>(),
                            out.d_in.data_ptr(), pointer(out.d_in_bias), out.d_out.data_ptr()},
            fused_mlp_weights_cuda);
}

}  // namespace

bool fused_mlp_fits(const ExpertSetting& s) {
  const bool half = s.type == at::kBFloat16 || s.type == at::kHalf;
  return s.device == at::kCUDA && half && has_kernel(s.activation) &&
         std::max(s.channels, s.out) <= kWidest && s.channels % 8 == 0 && s.out % 8 == 0 &&
         s.hidden % 8 == 0 && s.experts <= kMostSlots;
}

at::Tensor fused_mlp_rows(const FusedMlpInput& input) {
  FusedMlp p = to_kernel(input);
  auto rows_AD = at::empty({p.entries, p.width}, input.x_TC.options());
  p.rows = rows_AD.data_ptr();
  launch_on(rows_AD, p, fused_mlp_cuda);
  return rows_AD;
}

FusedMlpGrad fused_mlp_backward(const FusedMlpInput& input, const at::Tensor& dy_TD,
                                const at::Tensor& weight_A) {
  const FusedMlp p = to_kernel(input);
  FusedMlpGrad out;
  out.dx_AC = at::empty({p.entries, p.channels}, input.x_TC.options());
  out.dweight = at::empty_like(weight_A);
  const FusedMlpBackward backward{p, dy_TD.data_ptr(), weight_A.data_ptr(), out.dx_AC.data_ptr(),
                                  out.dweight.data_ptr()};
  launch_on(out.dx_AC, backward, fused_mlp_backward_cuda);
  add_weight_gradients(input, backward, out);
  return out;
}

}  // namespace switchyard
