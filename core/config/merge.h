#pragma once
// A configuration that grows by layers and remembers all values of every leaf.
//
// Maps merge deeply; lists, scalars and null replace. A map whose `type` changes is replaced. A
// bare string X and a map merge as {type: X}.

#include "core/config/compose.h"

namespace switchyard {

class MergedConfig {
 public:
  const ConfigNode& root() const { return root_; }
  const ConfigHistory& history() const { return history_; }

  /// `path`: dotted; "" is the root. Missing maps on the way are made.
  void merge(const std::string& path, const ConfigNode& node);
  /// Drops what stands at `path` first.
  void replace(const std::string& path, const ConfigNode& node);
  /// False if there is no such key.
  bool erase(const std::string& path);

 private:
  void merge_into(ConfigNode& base, const ConfigNode& layer, const std::string& path);
  void record(const ConfigNode& node, const std::string& path);

  ConfigNode root_ = ConfigNode(ConfigNode::Map{});
  ConfigHistory history_;
};

/// "a.b" for ("a", "b"), "b" for ("", "b").
std::string join_path(const std::string& parent, const std::string& key);

}  // namespace switchyard
