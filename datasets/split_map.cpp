#include "datasets/split_map.h"

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"

namespace switchyard {

void check_inside(const std::string& name, const std::string& where) {
  const std::filesystem::path path(name);
  check(!name.empty() && path.is_relative() &&
            std::find(path.begin(), path.end(), "..") == path.end(),
        where, "expected a name below the root: got '", name, "'");
}

std::vector<SplitSource> read_split_map(const ConfigNode& node, const std::string& what,
                                        const std::vector<std::string>& found) {
  std::vector<SplitSource> out;
  if (node.is_null()) {
    for (const std::string& name : found) out.push_back({name, name});
    return out;
  }
  for (const auto& [split, value] : node.as_map(what)) {
    const std::string key = what + "." + split;
    const auto sources = value.is_list() ? value.as_list(key) : ConfigNode::List{value};
    for (const ConfigNode& source : sources) {
      check_inside(source.as_string(key), key);
      out.push_back({split, source.as_string(key)});
    }
  }
  return out;
}

}  // namespace switchyard
