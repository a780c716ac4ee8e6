#pragma once
// Traces with a planted structure, made in memory.

#include "eval/analysis/trace_view.h"

namespace switchyard::test {

struct MadeTrace {
  int64_t domains = 3, groups = 4, tokens = 50, sites = 2, experts = 6, classes = 4;
  bool shared_groups = true;  ///< the same groups in every domain, else each domain has its own
  bool planted = true;        ///< at site 0 the domain decides the expert
};

/// One sequence per (domain, group); one level; k = 2.
TraceView made_trace(const MadeTrace& options);

}  // namespace switchyard::test
