#pragma once

#include "domains/point_cloud/model/ptv3.h"
#include "domains/point_cloud/model/segmentation_head.h"

namespace switchyard {

/// Voxels of a batch that share a condition and so a list of classes.
struct LogitPart {
  int64_t condition;
  at::Tensor index_M;  ///< [M] i64: the voxels; undefined: all
  at::Tensor logits_MK;
};

/// Backbone and head. With `params.context_channels` every condition has a learned context vector,
/// which goes to ForwardContext::cond, where adaptive norms and domain-guided routers read it.
/// Published tensors: backbone.*, embedding_table.weight, those of the head.
class PointSegmentor : public Module {
 public:
  /// Routing sites are named without the "backbone." prefix. Errors: those of Ptv3, an encoder
  /// without decoder.
  PointSegmentor(const Ptv3Params& params, std::unique_ptr<SegmentationHead> head);
  /// With a linear head. Errors: no class.
  PointSegmentor(const Ptv3Params& params, int64_t classes);

  struct Output {
    Ptv3Output backbone;
    std::vector<LogitPart> parts;  ///< conditions in first-seen order
  };
  /// Reads context.condition where uses_conditions(). Errors: not one per cloud.
  Output run(const PointInput& input, ForwardContext& context, const PointHooks& hooks = {});
  /// [N, classes]. Errors: conditions of this batch with different numbers of classes.
  at::Tensor forward(const PointInput& input, ForwardContext& context,
                     const PointHooks& hooks = {});
  bool uses_conditions() const;

 private:
  Ptv3Params params_;
  Ptv3* backbone_;
  at::Tensor* embedding_table_ = nullptr;
  SegmentationHead* head_;
};

/// A head over a batch: `offset` [B+1], `condition` [B]. Errors: a head by condition without one
/// condition below `conditions` per cloud.
std::vector<LogitPart> apply_head(const SegmentationHead& head, const at::Tensor& feat_NC,
                                  const std::vector<int64_t>& offset,
                                  const std::vector<int64_t>& condition, int64_t conditions);

/// Logits of all voxels in their order, where all parts have the same number of classes.
at::Tensor join_logits(const std::vector<LogitPart>& parts);

/// Mean over the parts of criterion(logits, labels): every condition present counts the same,
/// however many voxels it has (Point-MoE). label [N] i64, in the classes of each voxel's condition.
at::Tensor mean_over_parts(
    const std::vector<LogitPart>& parts, const at::Tensor& label_N,
    const std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>& criterion);

}  // namespace switchyard
