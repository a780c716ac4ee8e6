#include "eval/analysis/softmax_regression.h"

#include <algorithm>
#include <cmath>

namespace switchyard {
namespace {

// Class probabilities of one row from its features.
void softmax_of(const Row& coefficients, const Row& features, Row& p) {
  const size_t width = features.size();
  for (size_t c = 0; c < p.size(); ++c) {
    p[c] = 0;
    for (size_t j = 0; j < width; ++j) p[c] += coefficients[c * width + j] * features[j];
  }
  const double top = *std::max_element(p.begin(), p.end());
  double total = 0;
  for (double& x : p) total += x = std::exp(x - top);
  for (double& x : p) x /= total;
}

}  // namespace

SoftmaxRegression::SoftmaxRegression(const ProbeRows& train, int64_t iterations)
    : labels_(train.labels), width_(train.channels + 1) {
  standardise(train);
  std::vector<Row> features_RW;
  for (int64_t i = 0; i < train.rows(); ++i) features_RW.push_back(features(train.row(i)));
  const Row weights = train.balanced_weights();
  const double step = 2.0 / width_;  // 1 / bound on the curvature: half the mean squared norm
  coefficients_.assign(labels_ * width_, 0);
  Row previous = coefficients_;
  for (int64_t i = 0; i < iterations; ++i) {
    const double momentum = i / (i + 3.0);
    for (size_t j = 0; j < previous.size(); ++j) {
      const double moved = coefficients_[j] + momentum * (coefficients_[j] - previous[j]);
      previous[j] = coefficients_[j];
      coefficients_[j] = moved;
    }
    const Row slope = gradient(features_RW, train, weights);
    for (size_t j = 0; j < slope.size(); ++j) coefficients_[j] -= step * slope[j];
  }
}

void SoftmaxRegression::standardise(const ProbeRows& train) {
  const Row weights = train.balanced_weights();
  center_.assign(train.channels, 0);
  scale_.assign(train.channels, 0);
  for (int64_t i = 0; i < train.rows(); ++i)
    for (int64_t c = 0; c < train.channels; ++c)
      center_[c] += weights[train.label[i]] * train.row(i)[c];
  for (int64_t i = 0; i < train.rows(); ++i)
    for (int64_t c = 0; c < train.channels; ++c) {
      const double x = train.row(i)[c] - center_[c];
      scale_[c] += weights[train.label[i]] * x * x;
    }
  for (double& s : scale_) s = s > 0 ? 1 / std::sqrt(s) : 0;
}

Row SoftmaxRegression::features(const float* row) const {
  Row out(width_, 1);
  for (int64_t c = 0; c + 1 < width_; ++c) out[c] = (row[c] - center_[c]) * scale_[c];
  return out;
}

Row SoftmaxRegression::gradient(const std::vector<Row>& features, const ProbeRows& train,
                                const Row& weights) const {
  Row out(coefficients_.size()), p(labels_);
  for (size_t i = 0; i < features.size(); ++i) {
    const int64_t label = train.label[i];
    softmax_of(coefficients_, features[i], p);
    for (int64_t c = 0; c < labels_; ++c) {
      const double residual = weights[label] * (p[c] - (c == label));
      for (int64_t j = 0; j < width_; ++j) out[c * width_ + j] += residual * features[i][j];
    }
  }
  return out;
}

Indices SoftmaxRegression::predict(const ProbeRows& rows) const {
  Indices out;
  Row p(labels_);
  for (int64_t i = 0; i < rows.rows(); ++i) {
    softmax_of(coefficients_, features(rows.row(i)), p);
    out.push_back(std::max_element(p.begin(), p.end()) - p.begin());
  }
  return out;
}

}  // namespace switchyard
