#pragma once
// Questions about a composed configuration.

#include <string>
#include <vector>

#include "core/config/compose.h"

namespace switchyard {

/// Valid top-level keys (DESIGN 7).
const std::vector<std::string>& top_level_keys();

/// Error with file:line and nearest names for an unknown top-level key.
void check_top_level(const ConfigNode& config);

/// Dotted keys whose value is still ???, in order ("a.b", "list[2].c").
std::vector<std::string> missing_keys(const ConfigNode& config);

/// "optimizer.lr = 0.003, set by configs/experiment/x.yaml:12 (overrides 0.001 at
/// configs/optimizer/adamw.yaml:3)"; one line per leaf if `key` is a map. Error with nearest keys
/// if there is no such key.
std::string why(const Composed& composed, const std::string& key);

/// The composition tree (--info tree), one file per line, indented below the file that brought it:
/// "  model: configs/model/net.yaml, chosen by configs/experiment/x.yaml:3".
/// Files that no other file brought (the primary one and choices of arguments) are not indented.
std::string info_tree(const Composed& composed);

/// Dotted keys of all leaves (scalars, nulls, lists, empty maps), in order.
std::vector<std::string> leaf_keys(const ConfigNode& config);

}  // namespace switchyard
