#pragma once
// Multinomial logistic regression on standardised channels, every label weighed the same, fitted by
// full-batch gradient descent with Nesterov momentum and a fixed number of iterations.

#include "eval/analysis/probe_rows.h"

namespace switchyard {

class SoftmaxRegression {
 public:
  SoftmaxRegression(const ProbeRows& train, int64_t iterations);
  /// Most likely label of each row; ties to the lower.
  Indices predict(const ProbeRows& rows) const;

 private:
  void standardise(const ProbeRows& train);
  Row features(const float* row) const;
  Row gradient(const std::vector<Row>& features, const ProbeRows& train, const Row& weights) const;

  int64_t labels_, width_;             // width: channels + 1 (intercept)
  Row center_, scale_, coefficients_;  // [channels], [channels], [labels, width]
};

}  // namespace switchyard
