#pragma once
// A resolved or raw configuration value that remembers where it was written.

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace switchyard {

/// Where a value was set: "configs/model/ptv3.yaml:12" or "argument 'optimizer.lr=1e-3'".
struct Origin {
  std::string place;
  int line = 0;  ///< 1-based; 0: no line (an argument or a default of the program)
  std::string text() const { return line > 0 ? place + ":" + std::to_string(line) : place; }
};

/// Null, scalar, list or map (in written order). Value semantics; copies are deep.
class ConfigNode {
 public:
  using List = std::vector<ConfigNode>;
  using Map = std::vector<std::pair<std::string, ConfigNode>>;
  using Value = std::variant<std::monostate, bool, int64_t, double, std::string, List, Map>;

  ConfigNode() = default;
  ConfigNode(Value value, Origin origin = {})
      : value_(std::move(value)), origin_(std::move(origin)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_map() const { return std::holds_alternative<Map>(value_); }
  bool is_scalar() const { return !is_null() && !is_list() && !is_map(); }
  /// "null", "bool", "int", "float", "string", "list", "map".
  std::string type_name() const;

  // Typed access; an Error with origin, got and expected if the type differs. An int reads as
  // double.
  bool as_bool(const std::string& what = "value") const;
  int64_t as_int(const std::string& what = "value") const;
  double as_double(const std::string& what = "value") const;
  const std::string& as_string(const std::string& what = "value") const;
  const List& as_list(const std::string& what = "value") const;
  const Map& as_map(const std::string& what = "value") const;

  /// Direct child of a map, or nullptr.
  const ConfigNode* find(const std::string& key) const;
  ConfigNode* find(const std::string& key);
  /// Direct child of a map. Error: there is none.
  const ConfigNode& at(const std::string& key) const;
  /// Descends "a.b.c"; nullptr if any part is missing.
  const ConfigNode* find_path(const std::string& path) const;
  /// Child by key, made (as null) if absent; turns a null node into a map.
  ConfigNode& child(const std::string& key);
  bool erase(const std::string& key);

  const Value& value() const { return value_; }
  void set_value(Value value) { value_ = std::move(value); }
  Value& mutable_value() { return value_; }
  const Origin& origin() const { return origin_; }
  void set_origin(Origin origin) { origin_ = std::move(origin); }

  /// YAML text of this node (block style, keys in order); parses back to an equal node.
  std::string to_yaml(int indent = 0) const;
  /// Compact one-line form, as in an override: {type: topk, k: 2}.
  std::string to_line() const;
  /// Equal values, whatever the origins.
  bool same_value(const ConfigNode& other) const;

 private:
  Value value_;
  Origin origin_;
};

}  // namespace switchyard
