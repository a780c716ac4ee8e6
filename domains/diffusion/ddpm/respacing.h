#pragma once
// Which steps of a long diffusion process a short one keeps (Nichol, Dhariwal 2021; DDIM).

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/node.h"

namespace switchyard {

/// Kept steps of 0 .. steps-1, ascending. `respacing`: "" all; "250" or "10,15,20": so many in each
/// of equal sections, evenly spread with both ends, halves rounded to even; "ddim50": 0, stride, 2
/// stride, ... with the smallest whole stride that gives 50. Errors: anything else, a section
/// shorter than its count, no such stride (with the nearest counts that have one).
std::vector<int64_t> kept_steps(int64_t steps, const std::string& respacing);

/// The text of a config value: 250, [10, 15, 20], ddim50; null: all. `what`: its key.
std::string respacing_text(const ConfigNode& node, const std::string& what);

}  // namespace switchyard
