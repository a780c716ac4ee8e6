#pragma once
// Named factories for polymorphic config nodes ({type: NAME, ...}; a bare string X means {type:
// X}). Registration is explicit: every library has a register_all().

#include "core/base/params.h"

namespace switchyard {

/// Splits a polymorphic node into its type and a map of parameters (with `type` removed).
std::pair<std::string, ConfigNode> split_type(const ConfigNode& node, const std::string& what);

/// `Base`: the interface made. `Args`: what every factory gets besides its own parameters.
template <class Base, class... Args>
class Registry {
 public:
  /// `kind` names the family in messages: "selector", "dataset".
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  /// Adds a type whose parameters are struct P. Fails if the name is taken.
  template <class P>
  void add(const std::string& name, const std::string& doc,
           std::function<std::unique_ptr<Base>(const P&, Args...)> make) {
    check(!find(name), kind_, "registered twice: got '", name, "'");
    entries_.push_back({name, doc, describe_params<P>,
                        [make](const ConfigNode& node, const std::string& what, Args... args) {
                          return make(parse_params<P>(node, what), std::forward<Args>(args)...);
                        }});
  }

  /// Builds what `node` names. Errors: unknown type (with nearest and valid names), bad parameters.
  std::unique_ptr<Base> make(const ConfigNode& node, const std::string& what, Args... args) const {
    auto [type, params] = split_type(node, what);
    check_name(node.origin().text(), kind_, type, names());
    return find(type)->make(params, what, std::forward<Args>(args)...);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : entries_) out.push_back(entry.name);
    return out;
  }

  struct Entry {
    std::string name, doc;
    std::function<std::vector<FieldInfo>()> fields;
    std::function<std::unique_ptr<Base>(const ConfigNode&, const std::string&, Args...)> make;
  };
  const Entry* find(const std::string& name) const {
    for (const auto& entry : entries_) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }
  const std::vector<Entry>& entries() const { return entries_; }
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

}  // namespace switchyard
