#pragma once
// How early each layer's choices settle: the sets of routed experts of fixed probe tokens at
// several checkpoints against those of the last one.

#include "eval/analysis/stats.h"
#include "eval/analysis/trace_view.h"

namespace switchyard {

/// [probe token] routed experts, ascending.
using ExpertSets = std::vector<Indices>;

struct Stability {
  Table agree, agree_previous, jaccard;  ///< [l][s]; previous of the first: undefined; two empty
                                         ///< sets are equal
  Row chance;  ///< [l] mean over tokens of 1 / C(E, k_t), k_t from the last checkpoint; ignores
               ///< load
};

/// `sets[s][l][token]` at each checkpoint, `experts[l]`; every checkpoint has the same tokens.
Stability stability(const std::vector<std::vector<ExpertSets>>& sets, const Indices& experts);

/// The sets of every layer in traces of one model at rising steps: [s][l][token]. Probe tokens are
/// those of sequences that all traces hold, by uri. Errors: layers differ, or the length of a
/// sequence does.
std::vector<std::vector<ExpertSets>> probe_sets(const std::vector<TraceView>& traces);

}  // namespace switchyard
