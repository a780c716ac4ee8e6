#include "core/base/registry.h"

namespace switchyard {

std::pair<std::string, ConfigNode> split_type(const ConfigNode& node, const std::string& what) {
  if (node.is_string()) return {node.as_string(), ConfigNode(ConfigNode::Map{}, node.origin())};
  const ConfigNode* type = node.is_map() ? node.find("type") : nullptr;
  check(type != nullptr, node.origin().text(), what, " needs a type: got ", node.to_line(),
        ", expected {type: NAME, ...} or NAME");
  ConfigNode params = node;
  params.erase("type");
  return {type->as_string(what + ".type"), params};
}

}  // namespace switchyard
