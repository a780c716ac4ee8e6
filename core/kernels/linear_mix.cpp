#include "core/kernels/linear_mix.h"

#include "core/base/flop_counter.h"
#include "core/kernels/device_call.h"
#include "core/kernels/fused_mlp.h"

namespace switchyard {

using namespace kernels;

namespace {

constexpr int64_t kPairsOfEntry = 8, kMostEntries = INT32_MAX;

}  // namespace

bool linear_mix_fits(const ExpertSetting& s, const Assignment& a) {
  return s.hidden == 0 && s.type != at::kFloat && fused_mlp_fits(s) &&
         std::max(s.channels, s.out) <= kMixWidth && s.experts <= kMixSlots &&
         a.entries() <= kMostEntries && a.tokens() * s.experts <= kPairsOfEntry * a.entries();
}

at::Tensor linear_mix(const at::Tensor& x_TC, const ExpertWeights& experts, const Assignment& a) {
  const auto& bias = experts.in_bias;
  auto y_TD = at::empty({x_TC.size(0), experts.width()}, x_TC.options());
  const LinearMix mix{x_TC.data_ptr(),
                      experts.in_ENC.data_ptr(),
                      bias.defined() ? bias.data_ptr() : nullptr,
                      a.weight.data_ptr<float>(),
                      a.slot_of.data_ptr<int64_t>(),
                      a.token_offset.data_ptr<int64_t>(),
                      dtype_of(x_TC, "linear_mix"),
                      x_TC.size(0),
                      x_TC.size(1),
                      experts.width(),
                      experts.in_ENC.size(0),
                      y_TD.data_ptr()};
  const c10::DeviceGuard guard(x_TC.device());
  linear_mix_cuda(mix, current_stream(x_TC.device()));
  count_grouped(a.slot_offset, x_TC.size(1), experts.width());  // what was asked for
  return y_TD;
}

}  // namespace switchyard
