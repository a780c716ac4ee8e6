#pragma once
// The parameter `splits` of readers whose folders name scenes or areas, not the splits of an
// experiment: {train: [Area_1, Area_2], test: Area_5}.

#include <string>
#include <vector>

#include "core/config/node.h"

namespace switchyard {

struct SplitSource {
  std::string split;   ///< as samples name it: "train"
  std::string source;  ///< what the reader looks up: a folder, a list file
};

/// In written order. Null: every one of `found` is a split of its own name. Errors: no map, no
/// texts, a source that is absolute or leaves the root ("..").
std::vector<SplitSource> read_split_map(const ConfigNode& node, const std::string& what,
                                        const std::vector<std::string>& found);

/// Error unless `name`, which a list file or a config gave, stays inside the folder it is below.
void check_inside(const std::string& name, const std::string& where);

}  // namespace switchyard
