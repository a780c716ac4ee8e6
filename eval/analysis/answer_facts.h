#pragma once
// The facts behind the report's second sentence: which experts handled what.

#include "eval/analysis/js.h"
#include "eval/analysis/load.h"

namespace switchyard {

struct AnswerFacts {
  int64_t reference_layer = -1;  ///< largest NMI with the domain (first on ties); -1: none defined
  IndexTable experts;            ///< [d] share * E >= factor at that layer, largest first
  Indices groups;                ///< [d] domains connected through within_null, by first member
  Indices weak_layers;           ///< NMI below `weak`
};

AnswerFacts answer_facts(const LoadShare& load, const Row& nmi_domain, const JsDivergence& js,
                         double factor = 1.5, int64_t at_most = 3, double weak = 0.02);

}  // namespace switchyard
