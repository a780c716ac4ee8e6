#pragma once
// Interpolation: ${a.b} (from the root), ${.x} ${..x} (from the map that holds the value, one level
// up per further dot), ${env:NAME} and ${env:NAME,default} (alias oc.env; typed like a plain
// scalar). A value that is one interpolation keeps the type of its target, maps and lists included;
// inside other text the target must be a scalar. `\${` is a literal `${`. A target of ??? gives
// ???.

#include "core/config/node.h"

namespace switchyard {

/// Returns `root` with every interpolation replaced. Error with the place: missing target, cycle,
/// unset variable without default, bad syntax, a result that grows beyond the limits of yaml.h.
ConfigNode interpolate(const ConfigNode& root);

}  // namespace switchyard
