#pragma once
// Which expert takes which class.

#include "eval/analysis/counts.h"

namespace switchyard {

struct LabelTable {
  IndexTable tokens;                          ///< [l][c] labelled tokens at the layer's level
  std::vector<IndexTable> count;              ///< [l][c][e] assignments of labelled tokens
  std::vector<Table> share;                   ///< [l][c][e]; undefined rows for classes without any
  std::vector<std::vector<Table>> by_domain;  ///< [l][d][c][e]
  IndexTable row_order;                       ///< [l] centre_order over the expert index
};

/// Layers without labels have counts 0 and undefined shares.
LabelTable label_table(const TraceView& trace, const std::vector<SequenceCounts>& counts);

/// Rows by centre of mass over the columns in `order`; rows without any value last, by index.
Indices centre_order(const Table& share, const Indices& order);

}  // namespace switchyard
