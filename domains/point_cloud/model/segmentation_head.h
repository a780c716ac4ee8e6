#pragma once
// From the features of a voxel to the logits of its classes.

#include "core/base/registry.h"
#include "core/nn/linear.h"

namespace switchyard {

class SegmentationHead : public Module {
 public:
  /// Voxels of one condition: [M, C] -> [M, classes of that condition].
  virtual at::Tensor forward(const at::Tensor& feat_MC, int64_t condition) const = 0;
  /// Whether conditions differ in classes or weights; if not, a batch is one call.
  virtual bool by_condition() const { return true; }
};

/// One linear map for all. Published tensors: seg_head.{weight,bias}.
class LinearHead : public SegmentationHead {
 public:
  LinearHead(int64_t channels, int64_t classes);
  at::Tensor forward(const at::Tensor& feat_MC, int64_t condition) const override;
  bool by_condition() const override { return false; }

 private:
  Linear* linear_;
};

/// One linear map per condition (PPT, decoupled). Published tensors: seg_heads.<c>.{weight,bias}.
class DecoupledHead : public SegmentationHead {
 public:
  DecoupledHead(int64_t channels, const std::vector<int64_t>& classes);
  at::Tensor forward(const at::Tensor& feat_MC, int64_t condition) const override;

 private:
  std::vector<Linear*> linear_;
};

/// Language-guided (PPT, Point-MoE): exp(logit_scale) * normalised(Linear(x)) . embedding of the
/// condition's classes. Published tensors: proj_head.{weight,bias}, and the frozen class_embedding
/// [K, D] and logit_scale.
class LanguageHead : public SegmentationHead {
 public:
  /// `valid_index`: rows of the embedding for each condition.
  LanguageHead(int64_t channels, const at::Tensor& class_embedding_KD, double logit_scale,
               const std::vector<std::vector<int64_t>>& valid_index);
  at::Tensor forward(const at::Tensor& feat_MC, int64_t condition) const override;

 private:
  Linear* proj_;
  at::Tensor *class_embedding_KD_, *logit_scale_;
  std::vector<at::Tensor> valid_index_;
};

/// What a head of a config is built for.
struct HeadShape {
  int64_t channels;
  std::vector<std::string> classes;     ///< of the task
  std::vector<std::string> conditions;  ///< of the model
};

/// linear; decoupled; language {dim, logit_scale, class_table, text, text_seed}.
Registry<SegmentationHead, const HeadShape&>& segmentation_heads();

}  // namespace switchyard
