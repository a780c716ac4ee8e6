#pragma once
// Agglomerative clustering by average linkage.

#include "eval/analysis/stats.h"

namespace switchyard {

struct Clustering {
  struct Merge {
    int64_t a, b;  ///< clusters, a < b; ids n, n+1, ... are earlier merges
    double height;
    int64_t size;
  };
  std::vector<Merge> merges;
  Indices order;  ///< leaves, the lower id of a merge first
  /// Group of each leaf when the last `groups - 1` merges are undone, numbered by smallest member.
  Indices groups(int64_t groups) const;
};
/// Average linkage. Ties: smallest (lower id, higher id). `distance` is symmetric.
Clustering cluster_average(const Table& distance);

}  // namespace switchyard
