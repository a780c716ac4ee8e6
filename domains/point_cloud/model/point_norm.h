#pragma once
// Norms of the backbone over the voxels of a level: one norm, or one per condition of the batch
// (PDNorm of Point Prompt Training, Wu et al. 2024).

#include "core/moe/forward_context.h"
#include "core/nn/linear.h"
#include "core/nn/norm.h"

namespace switchyard {

/// Prompt-driven norm, names as in Pointcept.
struct PromptNormConfig {
  int64_t conditions = 1;
  bool decouple = true;   ///< one norm per condition; else one for all
  bool adaptive = false;  ///< shift and scale from the cloud's row of ForwardContext::cond
  bool affine = true;     ///< weight and bias of the norms
  int64_t context_channels = 256;
};

struct PointNormConfig {
  enum class Kind { Batch, Layer };
  Kind kind = Kind::Batch;
  double eps = 1e-3;
  double momentum = 0.01;  ///< batch norm only
  std::optional<PromptNormConfig> prompt;

  static PointNormConfig layer() { return {Kind::Layer, 1e-5, 0, {}}; }
};

/// Plain: published tensors of BatchNorm or LayerNorm. Prompt-driven: the same below
/// norm.<condition> (norm where not decoupled), and modulation.1 where adaptive:
///   y = norm_c(x) (1 + scale) + shift, (shift, scale) = Linear(SiLU(context)).
/// A batch may mix conditions: each norm sees the voxels of its own clouds.
class PointNorm : public Module {
 public:
  PointNorm(int64_t channels, const PointNormConfig& config);
  /// `offset` [B+1] of the clouds; plain norms do not read it. Errors: context.condition not one
  /// per cloud or out of range, context.cond missing or of another width.
  at::Tensor forward(const at::Tensor& x_NC, const std::vector<int64_t>& offset,
                     const ForwardContext& context);

 private:
  Norm& add_norm(const std::string& name, int64_t channels, const PointNormConfig& config);
  at::Tensor by_condition(const at::Tensor& x_NC, const std::vector<int64_t>& offset,
                          const ForwardContext& context);
  at::Tensor modulate(const at::Tensor& x_NC, const std::vector<int64_t>& offset,
                      const ForwardContext& context) const;

  std::vector<Norm*> norms_;
  Linear* modulation_ = nullptr;
};

}  // namespace switchyard
