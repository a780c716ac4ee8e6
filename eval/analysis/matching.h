#pragma once
// One-to-one matching of largest total profit (Hungarian method with potentials, Kuhn 1955).

#include "eval/analysis/stats.h"

namespace switchyard {

/// Column of each row, -1 for rows left over when there are more rows than columns. Profits >= 0;
/// O(n^3). Several optima are possible; which one is returned is deterministic.
Indices maximum_matching(const IndexTable& profit);

}  // namespace switchyard
