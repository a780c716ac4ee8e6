#pragma once
// Sweep values on the command line:
//   k=1,2,3   k=choice(1,2,3)   k=range(4)   k=range(0,4)   k=range(0,1,0.25)   group=glob(pt*)
// range: start, stop (exclusive), step. glob: * and ? over the option names of a group.

#include <string>
#include <vector>

#include "core/config/compose.h"

namespace switchyard {

/// Cartesian product: one list of plain overrides per cell; the last override varies fastest.
/// Overrides without sweep values are kept. Errors: bad syntax, a glob that matches nothing,
/// more than 100 000 cells.
std::vector<std::vector<std::string>> expand_sweep(const std::vector<std::string>& overrides,
                                                   const Composer& composer);

/// True if an override has a sweep value.
bool has_sweep(const std::vector<std::string>& overrides);

}  // namespace switchyard
