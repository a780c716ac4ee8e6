#pragma once
// Classification tree (CART, Gini impurity) on channels quantised to at most 64 bins between
// quantiles of the training rows; every label weighs the same.

#include "eval/analysis/probe_rows.h"

namespace switchyard {

class DecisionTree {
 public:
  DecisionTree(const ProbeRows& train, int64_t depth);
  Indices predict(const ProbeRows& rows) const;

 private:
  struct Node {
    int64_t channel = -1;  // -1: a leaf
    float threshold = 0;   // left: x < threshold
    int64_t left = -1, right = -1, label = 0;
  };
  struct Cut {
    double impurity;
    int64_t channel = -1, bin = 0;
  };
  void quantise(const ProbeRows& train);
  int64_t grow(const ProbeRows& train, const Row& weights, Indices rows, int64_t depth);
  Cut best_cut(const ProbeRows& train, const Row& weights, const Indices& rows,
               double impurity) const;

  std::vector<std::vector<float>> thresholds_;  // [channel] rising
  std::vector<uint8_t> bin_;                    // [rows, channels] of the training rows
  std::vector<Node> nodes_;
};

}  // namespace switchyard
