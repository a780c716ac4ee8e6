#include "core/config/node.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/error.h"

namespace switchyard {
namespace {

template <class T>
const T& expect(const ConfigNode& node, const std::string& what, const char* wanted) {
  if (const T* value = std::get_if<T>(&node.value())) return *value;
  const bool missing = node.is_string() && std::get<std::string>(node.value()) == "???";
  check(!missing, node.origin().text(), what, " must be set: got ???, expected ", wanted,
        "; set it with ", what, "=VALUE");
  fail(node.origin().text(), what, " has the wrong type: got ", node.type_name(), " ",
       node.to_line(), ", expected ", wanted);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// True if a plain (unquoted) YAML scalar of this text would not read back as the same string.
bool needs_quotes(const std::string& s) {
  if (s.empty() || s.front() == ' ' || s.back() == ' ') return true;
  static const std::vector<std::string> kWords = {"null", "~",   "true", "false", "yes",
                                                  "no",   "on",  "off",  ".inf",  "-.inf",
                                                  ".nan", "inf", "nan",  "<<"};
  if (std::find(kWords.begin(), kWords.end(), to_lower(s)) != kWords.end()) return true;
  double number;
  const char* end = s.data() + s.size();
  if (std::from_chars(s.data() + (s[0] == '+'), end, number).ptr == end) return true;
  if (std::any_of(s.begin(), s.end(), is_control)) return true;
  return s.find_first_of(":#,[]{}&*!|>'\"%@`\\") != std::string::npos || s[0] == '-' || s[0] == '?';
}

std::string quoted(const std::string& s) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (is_control(c))
      out += cat("\\x", kHex.substr(c >> 4, 1), kHex.substr(c & 15, 1));
    else
      out += c;
  }
  return out + "\"";
}

std::string key_text(const std::string& key) { return needs_quotes(key) ? quoted(key) : key; }

std::string scalar_text(const ConfigNode& node) {
  if (node.is_null()) return "null";
  if (node.is_bool()) return to_text(node.as_bool());
  if (node.is_int()) return to_text(node.as_int());
  if (node.is_double()) {
    const std::string text = to_text(node.as_double());
    if (text == "inf" || text == "-inf" || text == "nan")
      return text[0] == '-' ? "-.inf" : "." + text;
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  const auto& s = std::get<std::string>(node.value());  // not as_string(): ??? is printed as it is
  return needs_quotes(s) ? quoted(s) : s;
}

}  // namespace

std::string ConfigNode::type_name() const {
  static constexpr const char* kNames[] = {"null", "bool", "int", "float", "string", "list", "map"};
  return kNames[value_.index()];
}

bool ConfigNode::as_bool(const std::string& what) const {
  return expect<bool>(*this, what, "bool");
}
int64_t ConfigNode::as_int(const std::string& what) const {
  return expect<int64_t>(*this, what, "int");
}
double ConfigNode::as_double(const std::string& what) const {
  if (is_int()) return static_cast<double>(std::get<int64_t>(value_));
  return expect<double>(*this, what, "float");
}
const std::string& ConfigNode::as_string(const std::string& what) const {
  const auto& text = expect<std::string>(*this, what, "string");
  check(text != "???", origin_.text(), what, " must be set: got ???; set it with ", what, "=VALUE");
  return text;
}
const ConfigNode::List& ConfigNode::as_list(const std::string& what) const {
  return expect<List>(*this, what, "list");
}
const ConfigNode::Map& ConfigNode::as_map(const std::string& what) const {
  return expect<Map>(*this, what, "map");
}

const ConfigNode* ConfigNode::find(const std::string& key) const {
  const Map* map = std::get_if<Map>(&value_);
  if (!map) return nullptr;
  for (const auto& [name, node] : *map) {
    if (name == key) return &node;
  }
  return nullptr;
}

ConfigNode* ConfigNode::find(const std::string& key) {
  return const_cast<ConfigNode*>(std::as_const(*this).find(key));
}

const ConfigNode& ConfigNode::at(const std::string& key) const {
  const ConfigNode* node = find(key);
  check(node != nullptr, "config", "node is missing: expected '", key, "'");
  return *node;
}

const ConfigNode* ConfigNode::find_path(const std::string& path) const {
  const ConfigNode* node = this;
  for (const auto& part : split(path, '.')) {
    if (!(node = node->find(part))) return nullptr;
  }
  return node;
}

ConfigNode& ConfigNode::child(const std::string& key) {
  if (is_null()) value_ = Map{};
  if (ConfigNode* node = find(key)) return *node;
  check(is_map(), origin_.text(), "cannot set '", key, "' inside a ", type_name());
  return std::get<Map>(value_).emplace_back(key, ConfigNode()).second;
}

bool ConfigNode::erase(const std::string& key) {
  Map* map = std::get_if<Map>(&value_);
  return map && std::erase_if(*map, [&](const auto& item) { return item.first == key; }) > 0;
}

std::string ConfigNode::to_line() const {
  std::vector<std::string> items;
  if (const List* list = std::get_if<List>(&value_)) {
    for (const auto& item : *list) items.push_back(item.to_line());
    return "[" + join(items) + "]";
  }
  if (const Map* map = std::get_if<Map>(&value_)) {
    for (const auto& [key, node] : *map) items.push_back(key_text(key) + ": " + node.to_line());
    return "{" + join(items) + "}";
  }
  return scalar_text(*this);
}

std::string ConfigNode::to_yaml(int indent) const {
  const Map* map = std::get_if<Map>(&value_);
  if (!map) return std::string(indent, ' ') + to_line() + "\n";
  if (map->empty()) return std::string(indent, ' ') + "{}\n";
  std::string out;
  for (const auto& [key, node] : *map) {
    const bool nested = node.is_map() && !std::get<Map>(node.value_).empty();
    out += std::string(indent, ' ') + key_text(key) + ":";
    out += nested ? "\n" + node.to_yaml(indent + 2) : " " + node.to_line() + "\n";
  }
  return out;
}

bool ConfigNode::same_value(const ConfigNode& other) const {
  if (value_.index() != other.value_.index()) return false;
  if (const List* list = std::get_if<List>(&value_)) {
    const List& theirs = std::get<List>(other.value_);
    return std::equal(list->begin(), list->end(), theirs.begin(), theirs.end(),
                      [](const auto& a, const auto& b) { return a.same_value(b); });
  }
  if (const Map* map = std::get_if<Map>(&value_)) {
    const Map& theirs = std::get<Map>(other.value_);
    return std::equal(map->begin(), map->end(), theirs.begin(), theirs.end(),
                      [](const auto& a, const auto& b) {
                        return a.first == b.first && a.second.same_value(b.second);
                      });
  }
  return to_line() == other.to_line();
}

}  // namespace switchyard
