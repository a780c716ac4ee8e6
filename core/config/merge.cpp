#include "core/config/merge.h"

#include "core/base/text.h"

namespace switchyard {
namespace {

const std::string* text_of(const ConfigNode* node) {
  return node ? std::get_if<std::string>(&node->value()) : nullptr;
}

bool is_type_name(const ConfigNode& node) {
  const std::string* text = text_of(&node);
  return text && *text != "???" && text->find("${") == std::string::npos;
}

bool type_changes(const ConfigNode& base, const ConfigNode& layer) {
  const ConfigNode *before = base.find("type"), *after = layer.find("type");
  return before && after && !before->same_value(*after);
}

bool names_type_of(const ConfigNode& name, const ConfigNode& map) {
  const std::string *text = text_of(&name), *type = text_of(map.find("type"));
  return text && type && *text == *type;
}

}  // namespace

std::string join_path(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

void MergedConfig::merge(const std::string& path, const ConfigNode& node) {
  ConfigNode wrapped = node;
  if (!path.empty()) {
    const auto parts = split(path, '.');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      wrapped = ConfigNode(ConfigNode::Map{{*part, std::move(wrapped)}}, node.origin());
    }
  }
  merge_into(root_, wrapped, "");
}

void MergedConfig::replace(const std::string& path, const ConfigNode& node) {
  if (ConfigNode* old = const_cast<ConfigNode*>(root_.find_path(path)))
    old->set_value(std::monostate{});
  merge(path, node);
}

bool MergedConfig::erase(const std::string& path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string::npos) return root_.erase(path);
  auto* parent = const_cast<ConfigNode*>(root_.find_path(path.substr(0, dot)));
  return parent && parent->erase(path.substr(dot + 1));
}

void MergedConfig::merge_into(ConfigNode& base, const ConfigNode& layer, const std::string& path) {
  if (layer.is_map() && is_type_name(base)) {
    base = ConfigNode(ConfigNode::Map{{"type", base}}, base.origin());
  }
  if (names_type_of(layer, base))
    return merge_into(base.child("type"), layer, join_path(path, "type"));
  if (!base.is_map() || !layer.is_map() || type_changes(base, layer)) {
    base = layer;
    return record(layer, path);
  }
  for (const auto& [key, node] : layer.as_map())
    merge_into(base.child(key), node, join_path(path, key));
}

void MergedConfig::record(const ConfigNode& node, const std::string& path) {
  if (!node.is_map() || node.as_map().empty()) return history_[path].push_back(node);
  for (const auto& [key, child] : node.as_map()) record(child, join_path(path, key));
}

}  // namespace switchyard
