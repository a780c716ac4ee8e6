#pragma once
// Parameter structs: each field is declared once with name, default, bounds and help text; parsing,
// checking, `--help`, `describe` and JSON walk the same declaration.
//
//   struct AdamWParams {
//     double lr = 1e-3;
//     std::vector<int64_t> depths = {2, 2};
//     static void declare(Fields<AdamWParams>& f) {
//       f.add("lr", &AdamWParams::lr, "peak learning rate", at_least(0));
//       f.add("depths", &AdamWParams::depths, "blocks per level");
//     }
//   };
//   AdamWParams p = parse_params<AdamWParams>(node, "optimizer");

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>

#include "core/base/error.h"
#include "core/config/node.h"

namespace switchyard {

/// Closed interval for numbers; for lists it holds for every element.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};
inline Range at_least(double low) { return {low, std::numeric_limits<double>::infinity()}; }
inline Range between(double low, double high) { return {low, high}; }
/// Allowed values of a string field (or of each element of a list of strings).
struct Choices {
  std::vector<std::string> names;
};

/// What help texts and `describe` show of a field.
struct FieldInfo {
  std::string name, type, default_text, constraint, doc;
};

namespace params_detail {
// Reads one value out of `node`, checking type and bounds. `what` is the dotted key.
void read(const ConfigNode& node, const std::string& what, Range range, bool& out);
void read(const ConfigNode& node, const std::string& what, Range range, int64_t& out);
void read(const ConfigNode& node, const std::string& what, Range range, double& out);
void read(const ConfigNode& node, const std::string& what, Range range, std::string& out);
void read(const ConfigNode& node, const std::string& what, Range range, ConfigNode& out);
template <class T>
void read(const ConfigNode& node, const std::string& what, Range range, std::vector<T>& out) {
  out.clear();
  for (const auto& item : node.as_list(what)) read(item, what, range, out.emplace_back());
}
template <class T>
void read(const ConfigNode& node, const std::string& what, Range range, std::optional<T>& out) {
  if (node.is_null()) return out.reset();
  read(node, what, range, out.emplace());
}

ConfigNode write(bool value);
ConfigNode write(int64_t value);
ConfigNode write(double value);
ConfigNode write(const std::string& value);
ConfigNode write(const ConfigNode& value);
template <class T>
ConfigNode write(const std::vector<T>& values) {
  ConfigNode::List list;
  for (const auto& value : values) list.push_back(write(value));
  return ConfigNode(std::move(list));
}
template <class T>
ConfigNode write(const std::optional<T>& value) {
  return value ? write(*value) : ConfigNode();
}

template <class T>
std::string type_name();
template <>
std::string type_name<bool>();
template <>
std::string type_name<int64_t>();
template <>
std::string type_name<double>();
template <>
std::string type_name<std::string>();
template <>
std::string type_name<ConfigNode>();
template <>
std::string type_name<std::vector<int64_t>>();
template <>
std::string type_name<std::vector<double>>();
template <>
std::string type_name<std::vector<std::string>>();
template <>
std::string type_name<std::optional<bool>>();
template <>
std::string type_name<std::optional<int64_t>>();
template <>
std::string type_name<std::optional<double>>();
template <>
std::string type_name<std::optional<std::string>>();
template <>
std::string type_name<std::vector<ConfigNode>>();

std::string range_text(Range range);
/// Fails on null and non-map nodes, and on keys of `node` that `names` does not hold.
void check_keys(const ConfigNode& node, const std::string& what,
                const std::vector<std::string>& names);
void check_choice(const ConfigNode& node, const std::string& what, const std::string& value,
                  const std::vector<std::string>& names);
}  // namespace params_detail

template <class S>
class Fields {
 public:
  template <class T>
  Fields& add(const char* name, T S::*member, const char* doc, Range range = {}) {
    entries_.push_back({name, doc, params_detail::type_name<T>(), params_detail::range_text(range),
                        [member, range](S& s, const ConfigNode& n, const std::string& what) {
                          params_detail::read(n, what, range, s.*member);
                        },
                        [member](const S& s) { return params_detail::write(s.*member); }});
    return *this;
  }
  Fields& add(const char* name, std::string S::*member, const char* doc, Choices choices) {
    entries_.push_back({name, doc, "string", "one of " + join(choices.names),
                        [member, choices](S& s, const ConfigNode& n, const std::string& what) {
                          params_detail::read(n, what, {}, s.*member);
                          params_detail::check_choice(n, what, s.*member, choices.names);
                        },
                        [member](const S& s) { return params_detail::write(s.*member); }});
    return *this;
  }
  /// A nested parameter struct.
  template <class N>
  Fields& node(const char* name, N S::*member, const char* doc);

  struct Entry {
    std::string name, doc, type, constraint;
    std::function<void(S&, const ConfigNode&, const std::string& what)> read;
    std::function<ConfigNode(const S&)> write;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

template <class S>
const Fields<S>& fields_of() {
  static const Fields<S> fields = [] {
    Fields<S> f;
    S::declare(f);
    return f;
  }();
  return fields;
}

/// Reads `node` (a map; null means all defaults) over the defaults of S. `what` is the dotted path
/// used in messages. Keys listed in `ignore` ("type") are left to the caller.
/// Errors: unknown key (with nearest names), wrong type, out of range, unknown choice, `???` left.
template <class S>
S parse_params(const ConfigNode& node, const std::string& what,
               const std::vector<std::string>& ignore = {}) {
  S out;
  if (node.is_null()) return out;
  std::vector<std::string> names = ignore;
  for (const auto& entry : fields_of<S>().entries()) names.push_back(entry.name);
  params_detail::check_keys(node, what, names);
  for (const auto& entry : fields_of<S>().entries()) {
    const ConfigNode* value = node.find(entry.name);
    if (value) entry.read(out, *value, what.empty() ? entry.name : what + "." + entry.name);
  }
  return out;
}

/// All fields as a map node, in declared order.
template <class S>
ConfigNode write_params(const S& params) {
  ConfigNode::Map map;
  for (const auto& entry : fields_of<S>().entries())
    map.emplace_back(entry.name, entry.write(params));
  return ConfigNode(std::move(map));
}

template <class S>
std::vector<FieldInfo> describe_params() {
  std::vector<FieldInfo> out;
  const S defaults;
  for (const auto& e : fields_of<S>().entries()) {
    out.push_back({e.name, e.type, e.write(defaults).to_line(), e.constraint, e.doc});
  }
  return out;
}

template <class S>
template <class N>
Fields<S>& Fields<S>::node(const char* name, N S::*member, const char* doc) {
  entries_.push_back({name, doc, "map", "",
                      [member](S& s, const ConfigNode& n, const std::string& what) {
                        s.*member = parse_params<N>(n, what);
                      },
                      [member](const S& s) { return write_params(s.*member); }});
  return *this;
}

}  // namespace switchyard
