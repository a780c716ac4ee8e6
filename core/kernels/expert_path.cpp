#include "core/kernels/expert_path.h"

#include "core/base/text.h"
#include "core/kernels/blocked_mlp.h"
#include "core/kernels/device_call.h"
#include "core/kernels/fused_mlp.h"

namespace switchyard {
namespace {

// Measured on an H100 (docs/performance.md): larger experts, and wide ones with many rows each, run
// faster as two grouped products.
constexpr int64_t kFusedWeights = 1 << 16, kFusedWidth = 128, kFusedRows = 256;

bool has_warpgroups(at::Device device) {
  if (!device.is_cuda()) return false;
  const c10::DeviceGuard guard(device);
  return kernels::fused_mlp_cuda_runs();
}

ExpertChoice on_cpu(const ExpertSetting& s) {
  if (s.hidden == 0) return {ExpertPath::Grouped, "grouped", "one product, narrow ones in blocks"};
  if (!blocked_mlp_fits(s))
    return {ExpertPath::Grouped, "loop", "half types or wide double experts on the CPU"};
  return {ExpertPath::Blocked, "blocked",
          s.type == at::kFloat ? "float on the CPU" : "an expert's weights stay in the cache"};
}

}  // namespace

ExpertSetting expert_setting(const at::Tensor& x_TC, const ExpertWeights& experts,
                             const Assignment& assignment, Activation activation) {
  const auto& in = experts.in_ENC;
  return {x_TC.device().type(),
          x_TC.scalar_type(),
          in.size(0),
          in.size(2),
          experts.hidden(),
          experts.width(),
          activation,
          !experts.is_linear() && in.size(1) != experts.hidden(),
          assignment.entries() / std::max<int64_t>(in.size(0), 1),
          has_warpgroups(x_TC.device())};
}

ExpertChoice expert_path_of(const ExpertSetting& s) {
  if (s.device == at::kCPU) return on_cpu(s);
  const bool fits = fused_mlp_fits(s), small = s.out * s.hidden <= kFusedWeights,
             narrow = std::max(s.channels, s.out) <= kFusedWidth;
  const std::string type = s.type == at::kFloat ? "float" : "half type";
  if (fits && s.hidden == 0 && s.type != at::kFloat)
    return {ExpertPath::Fused, "fused", type + ", linear experts"};
  if (fits && small && narrow) return {ExpertPath::Fused, "fused", type + ", small experts"};
  if (fits && small && s.rows <= kFusedRows)
    return {ExpertPath::Fused, "fused", cat(type, ", at most ", kFusedRows, " rows an expert")};
  if (s.type == at::kBFloat16 && s.channels % 8 == 0 && s.hidden % 8 == 0 && s.out % 8 == 0)
    return {ExpertPath::Grouped, "grouped",
            !fits   ? "no fused kernel for the shape"
            : small ? cat("wide, more than ", kFusedRows, " rows an expert")
                    : cat("more than ", kFusedWeights, " weights a layer")};
  return {ExpertPath::Grouped, "loop", "not bfloat16, or widths that are no multiples of 8"};
}

}  // namespace switchyard
