#include "eval/analysis/decision_tree.h"

#include <algorithm>
#include <numeric>

namespace switchyard {
namespace {

constexpr int64_t kBins = 64, kMinRows = 20;

// Weight times Gini impurity: W (1 - sum p^2) = W - sum w^2 / W.
double gini(const Row& weight) {
  const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
  double squares = 0;
  for (double w : weight) squares += w * w;
  return total > 0 ? total - squares / total : 0;
}

Row label_weights(const ProbeRows& train, const Row& weights, const Indices& rows) {
  Row out(train.labels);
  for (int64_t i : rows) out[train.label[i]] += weights[train.label[i]];
  return out;
}

std::vector<float> quantile_thresholds(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  std::vector<float> out;
  for (int64_t b = 1; b < kBins && !values.empty(); ++b)
    out.push_back(values[b * values.size() / kBins]);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

DecisionTree::DecisionTree(const ProbeRows& train, int64_t depth) {
  quantise(train);
  grow(train, train.balanced_weights(), all_indices(train.rows()), depth);
  bin_.clear();
}

void DecisionTree::quantise(const ProbeRows& train) {
  bin_.resize(train.x.size());
  for (int64_t c = 0; c < train.channels; ++c) {
    std::vector<float> values;
    for (int64_t i = 0; i < train.rows(); ++i) values.push_back(train.row(i)[c]);
    const auto thresholds = quantile_thresholds(values);
    for (int64_t i = 0; i < train.rows(); ++i)
      bin_[i * train.channels + c] = static_cast<uint8_t>(
          std::upper_bound(thresholds.begin(), thresholds.end(), values[i]) - thresholds.begin());
    thresholds_.push_back(thresholds);
  }
}

DecisionTree::Cut DecisionTree::best_cut(const ProbeRows& train, const Row& weights,
                                         const Indices& rows, double impurity) const {
  Cut best{impurity - 1e-12};
  for (int64_t c = 0; c < train.channels; ++c) {
    const auto cuts = static_cast<int64_t>(thresholds_[c].size());
    Table histogram(cuts + 1, Row(train.labels));
    Indices count(cuts + 1);
    for (int64_t i : rows) {
      const int64_t bin = bin_[i * train.channels + c];
      histogram[bin][train.label[i]] += weights[train.label[i]];
      ++count[bin];
    }
    Row left(train.labels), right = label_weights(train, weights, rows);
    int64_t in_left = 0;
    for (int64_t b = 0; b < cuts; ++b) {
      for (int64_t d = 0; d < train.labels; ++d) {
        left[d] += histogram[b][d];
        right[d] -= histogram[b][d];
      }
      in_left += count[b];
      if (in_left < kMinRows || static_cast<int64_t>(rows.size()) - in_left < kMinRows) continue;
      if (const double sum = gini(left) + gini(right); sum < best.impurity) best = {sum, c, b};
    }
  }
  return best;
}

int64_t DecisionTree::grow(const ProbeRows& train, const Row& weights, Indices rows,
                           int64_t depth) {
  const auto id = static_cast<int64_t>(nodes_.size());
  nodes_.emplace_back();
  const Row mass = label_weights(train, weights, rows);
  nodes_[id].label = std::max_element(mass.begin(), mass.end()) - mass.begin();
  if (depth == 0) return id;
  const Cut cut = best_cut(train, weights, rows, gini(mass));
  if (cut.channel < 0) return id;
  const auto middle = std::stable_partition(rows.begin(), rows.end(), [&](int64_t i) {
    return bin_[i * train.channels + cut.channel] <= cut.bin;
  });
  const int64_t left = grow(train, weights, Indices(rows.begin(), middle), depth - 1);
  const int64_t right = grow(train, weights, Indices(middle, rows.end()), depth - 1);
  nodes_[id] = {cut.channel, thresholds_[cut.channel][cut.bin], left, right, nodes_[id].label};
  return id;
}

Indices DecisionTree::predict(const ProbeRows& rows) const {
  Indices out;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const Node* node = &nodes_[0];
    while (node->channel >= 0)
      node = &nodes_[rows.row(i)[node->channel] < node->threshold ? node->left : node->right];
    out.push_back(node->label);
  }
  return out;
}

}  // namespace switchyard
