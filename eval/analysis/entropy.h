#pragma once
// Router entropies in bits. mean_softmax - token = I(token; expert) >= 0, exact because both weigh
// domains equally. Layers without traced scores have undefined values (assignment_bits excepted).

#include "eval/analysis/load.h"

namespace switchyard {

struct RouterEntropy {
  Table token_bits_domain;            ///< [l][d] mean token entropy of the softmax
  Row token_bits, token_bits_pooled;  ///< [l] mean of domains; over all tokens
  Row mean_softmax_bits, mean_softmax_bits_pooled;
  Row mutual_information, mutual_information_pooled;
  Row assignment_bits;             ///< [l] entropy of the mean share
  Row log2_experts, log2_columns;  ///< [l] ceilings; columns = routed + null
};

RouterEntropy router_entropy(const TraceView& trace, const LoadShare& load);

}  // namespace switchyard
