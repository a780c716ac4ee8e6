#pragma once
// What the input alone tells: simple classifiers that guess the domain from one input token. If
// they do well, experts may follow a channel of the input rather than its content.

#include "eval/analysis/stats.h"

namespace switchyard {

struct ProbeInput {
  std::vector<float> x;               ///< [rows, channels]
  std::vector<std::string> channels;  ///< names
  Indices domain, group;              ///< [rows], domain 0..D-1
  int64_t rows() const { return static_cast<int64_t>(domain.size()); }
};

struct ProbeOptions {
  int64_t max_rows_per_domain = 20000;
  double test_share = 0.5;   ///< of the groups of each domain
  int64_t iterations = 200;  ///< of gradient descent
  int64_t depth = 8;         ///< of the tree
  int64_t draws = 200;       ///< bootstrap over test groups
};

struct ProbeResult {
  std::string channels, probe;  ///< "x+y+z", "softmax" or "tree"
  double score = kUndefined;    ///< mean over domains of the accuracy on unseen groups
  double chance = kUndefined;   ///< 1 / domains
  double lo = kUndefined, hi = kUndefined;
  int64_t test_groups = 0;
};

/// Softmax regression and a Gini tree on all channels. Errors: sizes that do not fit, fewer than
/// two domains, a domain with fewer than two groups.
std::vector<ProbeResult> probe_domains(const ProbeInput& input, const ProbeOptions& options,
                                       RandomStream stream);

}  // namespace switchyard
