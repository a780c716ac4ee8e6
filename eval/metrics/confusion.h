#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// Per class: elements predicted and labelled so, either, labelled. An ignored element enters nothing.
struct Confusion {
  std::vector<int64_t> intersection, union_, target;
};

/// predicted, label [N] i64 on the CPU. Errors: a label that is neither ignored nor 0 .. classes-1.
Confusion count_confusion(const at::Tensor& predicted, const at::Tensor& label, int64_t classes, int64_t ignore = -1);

/// The published segmentation scores of summed counts (spec point-moe 3): absent classes count as 0.
struct SegmentationScores {
  std::vector<double> iou, accuracy;
  double miou = 0, mean_accuracy = 0, overall_accuracy = 0;
};
SegmentationScores segmentation_scores(const Confusion& sums);

}  // namespace switchyard
