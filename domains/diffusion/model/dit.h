#pragma once
// DiT (Peebles, Xie 2023) and ProMoE (arXiv 2510.24711) with the published tensor names. With
// num_domains a second table, domain_embedder, joins the condition; no published model has it.

#include "domains/diffusion/model/dit_block.h"
#include "domains/diffusion/model/embedders.h"

namespace switchyard {

/// A batch of noisy images.
struct DitInput {
  at::Tensor x;            ///< [B, C, S, S]
  at::Tensor t;            ///< [B], 0 .. 1000, need not be whole
  at::Tensor y;            ///< [B] i64, 0 .. num_classes; num_classes: without a class
  at::Tensor domain = {};  ///< [B] i64, 0 .. num_domains; num_domains: without one; undefined where
                           ///< the model has no domains
};

class Dit : public Module {
 public:
  /// `params.moe`: one MoEConfig or {mlp: MoEConfig}. Errors: those of DitParams::validate(), an
  /// unknown site.
  explicit Dit(const DitParams& params);

  /// [B, out_channels, S, S]. In training every condition (label and domain) is dropped with
  /// class_dropout_prob, and of those kept the domain alone with the same probability, drawn from
  /// the context's stream. Starts the context's level (tokens in raster order) and sets its
  /// cond_mask: images with a class. Errors: shapes, labels out of range.
  at::Tensor forward(const DitInput& input, ForwardContext& context,
                     const DitObserver& observe = {});
  const DitParams& params() const { return params_; }

 private:
  void start(int64_t batch, const at::Tensor& y_B, ForwardContext& context) const;
  void drop_conditions(DitInput& input, const RandomStream& random) const;
  at::Tensor condition(const DitInput& input) const;

  DitParams params_;
  at::Tensor& position_;
  PatchEmbed* x_embedder_;
  TimestepEmbedder* t_embedder_;
  LabelEmbedder* y_embedder_;
  LabelEmbedder* domain_embedder_ = nullptr;
  std::vector<DitBlock*> blocks_;
  DitFinalLayer* final_layer_;
};

}  // namespace switchyard
