#include "core/base/params.h"

#include <cmath>

namespace switchyard::params_detail {
namespace {

void check_range(const ConfigNode& node, const std::string& what, double value, Range range) {
  check(value >= range.low && value <= range.high, node.origin().text(), what,
        " is out of range: got ", value, ", expected ", range_text(range));
}

}  // namespace

void read(const ConfigNode& node, const std::string& what, Range, bool& out) {
  out = node.as_bool(what);
}
void read(const ConfigNode& node, const std::string& what, Range range, int64_t& out) {
  out = node.as_int(what);
  check_range(node, what, static_cast<double>(out), range);
}
void read(const ConfigNode& node, const std::string& what, Range range, double& out) {
  out = node.as_double(what);
  check_range(node, what, out, range);
}
void read(const ConfigNode& node, const std::string& what, Range, std::string& out) {
  out = node.as_string(what);
}
void read(const ConfigNode& node, const std::string&, Range, ConfigNode& out) { out = node; }

ConfigNode write(bool value) { return ConfigNode(value); }
ConfigNode write(int64_t value) { return ConfigNode(value); }
ConfigNode write(double value) { return ConfigNode(value); }
ConfigNode write(const std::string& value) { return ConfigNode(value); }
ConfigNode write(const ConfigNode& value) { return value; }

template <>
std::string type_name<bool>() {
  return "bool";
}
template <>
std::string type_name<int64_t>() {
  return "int";
}
template <>
std::string type_name<double>() {
  return "float";
}
template <>
std::string type_name<std::string>() {
  return "string";
}
template <>
std::string type_name<ConfigNode>() {
  return "any";
}
template <>
std::string type_name<std::vector<int64_t>>() {
  return "list of int";
}
template <>
std::string type_name<std::vector<double>>() {
  return "list of float";
}
template <>
std::string type_name<std::vector<std::string>>() {
  return "list of string";
}
template <>
std::string type_name<std::optional<bool>>() {
  return "bool or null";
}
template <>
std::string type_name<std::optional<int64_t>>() {
  return "int or null";
}
template <>
std::string type_name<std::optional<double>>() {
  return "float or null";
}
template <>
std::string type_name<std::optional<std::string>>() {
  return "string or null";
}
template <>
std::string type_name<std::vector<ConfigNode>>() {
  return "list";
}

std::string range_text(Range range) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) return cat(range.low, " to ", range.high);
  if (low) return cat("at least ", range.low);
  return high ? cat("at most ", range.high) : "";
}

void check_keys(const ConfigNode& node, const std::string& what,
                const std::vector<std::string>& names) {
  for (const auto& [key, value] : node.as_map(what.empty() ? "config" : what)) {
    check_name(value.origin().text(), what.empty() ? "key" : "key in " + what, key, names);
  }
}

void check_choice(const ConfigNode& node, const std::string& what, const std::string& value,
                  const std::vector<std::string>& names) {
  check_name(node.origin().text(), "value of " + what, value, names);
}

}  // namespace switchyard::params_detail
