#pragma once
// Counts behind mIoU: per class intersection, union and target over labelled points.

#include <ATen/core/Tensor.h>

#include <vector>

namespace switchyard {

/// All [classes] i64 on the CPU. A point whose target is ignored counts nowhere.
struct ClassCounts {
  at::Tensor intersection, union_of, target;
};

/// Sums counts over clouds. Scores follow the convention of Pointcept (point-moe spec section 3): a
/// class that occurs nowhere scores 0 and still counts in the means.
class Confusion {
 public:
  explicit Confusion(int64_t classes, int64_t ignore = -1);
  /// pred, target [N] i64. Returns the counts of this call alone.
  /// Errors: shapes, values outside 0 .. classes-1 (target: or ignored).
  ClassCounts add(const at::Tensor& pred_N, const at::Tensor& target_N);

  const ClassCounts& total() const { return total_; }
  at::Tensor iou() const;       ///< [classes] f64
  at::Tensor accuracy() const;  ///< [classes] f64: recall
  double mean_iou() const;
  double mean_accuracy() const;
  /// Share of labelled points that are right.
  double overall_accuracy() const;

 private:
  int64_t classes_, ignore_;
  ClassCounts total_;
};

}  // namespace switchyard
