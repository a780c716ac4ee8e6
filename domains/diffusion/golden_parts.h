#pragma once
// What the golden kinds share.

#include "core/golden/golden.h"
#include "core/moe/assignment.h"
#include "core/moe/trace.h"
#include "domains/diffusion/model/dit.h"

namespace switchyard::diffusion_golden {

/// The network that a case's config describes. Labels are not dropped: cases give null labels.
DitParams dit_params(const Json& config);
/// The mixture that it describes; null for a dense network.
ConfigNode moe_config(const Json& config);

/// sum(value * inputs/<cotangent>).
at::Tensor pull(const GoldenCase& c, const at::Tensor& value,
                const std::string& cotangent = "cotangent");

/// Routing of the MoE layers of one pass.
class RoutingRecord : public TraceSink {
 public:
  void record(const std::string& site, const Assignment& assignment, const at::Tensor& scores,
              const ForwardContext& context) override;
  struct Site {
    Assignment assignment;
    at::Tensor scores_TS;  ///< extra slots padded with zeros
    at::Tensor cond_T;     ///< [T] bool: tokens of images with a class
  };
  std::map<std::string, Site> sites;
};

/// Compares everything that the file holds below "outputs/<pass>/<prefix>router.".
/// `layer`: the mixture, for the predictor of DiffMoE.
void compare_routing(const GoldenCase& c, GoldenResult& result, const std::string& pass,
                     const std::string& prefix, const RoutingRecord::Site& site,
                     const Module& layer);
/// Compares "outputs/train/<prefix>aux.*" with the losses of `site`; returns their sum.
at::Tensor compare_aux(const GoldenCase& c, GoldenResult& result, const std::string& prefix,
                       const std::string& site, const ForwardContext& context);
/// Sum of all auxiliary losses of a pass.
at::Tensor sum_of_losses(const ForwardContext& context, const at::TensorOptions& options);

void register_module_kinds();
void register_net_kinds();
void register_flow_kinds();

}  // namespace switchyard::diffusion_golden
