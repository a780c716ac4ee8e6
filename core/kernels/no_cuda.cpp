// Stands in for the .cu files in a build without CUDA.

#include "core/base/error.h"
#include "core/kernels/route_top_p_launch.h"

namespace switchyard::kernels {
namespace {
[[noreturn]] void refuse(const char* op) {
  fail(op,
       "this build has no CUDA kernels: got a tensor on a GPU, expected one on the CPU; "
       "valid: build preset cuda, or device=cpu");
}
}  // namespace

void slot_sort_cuda(const SlotSort&, void*) { refuse("slot_sort"); }
void route_cuda(const Route&, void*) { refuse("route_top_k"); }
void route_backward_cuda(const RouteBackward&, void*) { refuse("route_top_k"); }
void route_top_p_cuda(const RouteTopP&, void*) { refuse("route_top_p"); }
void route_top_p_backward_cuda(const RouteTopPBackward&, void*) { refuse("route_top_p"); }
void top_k_cuda(const TopK&, void*) { refuse("top_k"); }
void gather_rows_cuda(const Gather&, void*) { refuse("gather_rows"); }
void combine_rows_cuda(const Combine&, void*) { refuse("combine_rows"); }
void subm_panel_cuda(const SubmPanel&, void*) { refuse("subm_conv"); }
void curve_code_cuda(const CurveCode&, void*) { refuse("curve_code"); }
void neighbor_map_cuda(const NeighborMap&, void*) { refuse("neighbor_map"); }
void modulate_cuda(const Modulate&, void*) { refuse("modulate"); }
void modulate_backward_cuda(const ModulateBackward&, void*) { refuse("modulate"); }
void activate_cuda(const Activate&, void*) { refuse("expert_activation"); }
void activate_backward_cuda(const ActivateBackward&, void*) { refuse("expert_activation"); }

void fused_mlp_cuda(const FusedMlp&, void*) { refuse("fused_mlp"); }
bool fused_mlp_cuda_runs() { return false; }
void fused_simt_cuda(const FusedMlp&, void*) { refuse("fused_mlp"); }
FusedGrid fused_simt_grid_cuda(const FusedMlp&) { refuse("fused_mlp"); }
void fused_simt_backward_cuda(const FusedMlpBackward&, const FusedGrid&, void*) {
  refuse("fused_mlp");
}
void fused_linear_cuda(const FusedMlp&, void*) { refuse("fused_linear"); }
FusedGrid fused_linear_grid_cuda(const FusedMlp&) { refuse("fused_linear"); }
void fused_linear_backward_cuda(const FusedMlpBackward&, const FusedGrid&, void*) {
  refuse("fused_linear");
}
void linear_mix_cuda(const LinearMix&, void*) { refuse("linear_mix"); }
void fused_simt_linear_cuda(const FusedMlp&, void*) { refuse("fused_linear"); }
FusedGrid fused_simt_linear_grid_cuda(const FusedMlp&) { refuse("fused_linear"); }
void fused_simt_linear_backward_cuda(const FusedMlpBackward&, const FusedGrid&, void*) {
  refuse("fused_linear");
}
FusedGrid fused_grid_cuda(const FusedMlp&) { refuse("fused_mlp"); }
void fused_mlp_backward_cuda(const FusedMlpBackward&, const FusedGrid&, void*) {
  refuse("fused_mlp");
}

}  // namespace switchyard::kernels
