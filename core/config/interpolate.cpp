#include "core/config/interpolate.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace switchyard {
namespace {

constexpr size_t kMaxText = size_t{1} << 20;
constexpr size_t kMaxChain = 100;

using Path = std::vector<std::string>;

const std::string* text_of(const ConfigNode& node) {
  return std::get_if<std::string>(&node.value());
}

bool has_interpolation(const ConfigNode& node) {
  const std::string* text = text_of(node);
  return text && text->find("${") != std::string::npos;
}

const ConfigNode* child_of(const ConfigNode& node, const std::string& key) {
  if (!node.is_list()) return node.find(key);
  size_t index = 0;
  const auto result = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool is_index = result.ec == std::errc() && result.ptr == key.data() + key.size();
  return is_index && index < node.as_list().size() ? &node.as_list()[index] : nullptr;
}

/// Position of the } that closes the ${ at `begin`, or npos.
size_t closing_brace(const std::string& text, size_t begin) {
  int depth = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string::npos;
}

class Interpolator {
 public:
  explicit Interpolator(const ConfigNode& root) : root_(root) {}

  ConfigNode resolve(const ConfigNode& node, const Path& path) {
    check(++steps_ <= kMaxConfigValues, node.origin().text(), "interpolation grows beyond ",
          kMaxConfigValues, " values");
    if (has_interpolation(node)) return resolve_text(node, path);
    if (node.is_list()) {
      ConfigNode::List items;
      for (const auto& item : node.as_list())
        items.push_back(resolve(item, below(path, std::to_string(items.size()))));
      return {std::move(items), node.origin()};
    }
    if (!node.is_map()) return node;
    ConfigNode::Map map;
    for (const auto& [key, child] : node.as_map())
      map.emplace_back(key, resolve(child, below(path, key)));
    return {std::move(map), node.origin()};
  }

 private:
  static Path below(Path path, const std::string& key) {
    path.push_back(key);
    return path;
  }

  ConfigNode resolve_text(const ConfigNode& node, const Path& path) {
    const std::string where = node.origin().text();
    check(std::find(active_.begin(), active_.end(), path) == active_.end(), where,
          "interpolation forms a cycle: ", chain(), join(path, "."));
    check(active_.size() < kMaxChain, where, "interpolation chain is longer than ", kMaxChain);
    active_.push_back(path);
    ConfigNode out = expand(*text_of(node), path, where);
    active_.pop_back();
    out.set_origin(node.origin());
    return out;
  }

  std::string chain() const {
    std::string out;
    for (const auto& path : active_) out += join(path, ".") + " -> ";
    return out;
  }

  /// Replaces every ${...} of `text`; a text that is one ${...} becomes its target.
  ConfigNode expand(const std::string& text, const Path& path, const std::string& where) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      if (text.compare(i, 3, "\\${") == 0) {
        out += "${";
        i += 3;
      } else if (text.compare(i, 2, "${") == 0) {
        const size_t end = closing_brace(text, i);
        check(end != std::string::npos, where, "interpolation is not closed: got ", text);
        const ConfigNode value = evaluate(text.substr(i + 2, end - i - 2), path, where);
        if (i == 0 && end + 1 == text.size()) return value;
        if (text_of(value) && *text_of(value) == "???") return value;
        out += scalar_text(value, text, where);
        i = end + 1;
      } else {
        out += text[i++];
      }
      check(out.size() <= kMaxText, where, "interpolation grows beyond ", kMaxText, " characters");
    }
    return ConfigNode(out);
  }

  static std::string scalar_text(const ConfigNode& value, const std::string& text,
                                 const std::string& where) {
    check(!value.is_map() && !value.is_list(), where, "a ", value.type_name(),
          " cannot stand inside text: got ", text);
    return text_of(value) ? *text_of(value) : value.to_line();
  }

  /// `inner`: what stands between ${ and }.
  ConfigNode evaluate(const std::string& inner, const Path& path, const std::string& where) {
    std::string name(trim(inner));
    if (name.find("${") != std::string::npos)
      name = scalar_text(expand(name, path, where), name, where);
    check(++steps_ <= kMaxConfigValues, where, "interpolation grows beyond ", kMaxConfigValues,
          " values");
    for (const std::string_view prefix : {"env:", "oc.env:"}) {
      if (name.starts_with(prefix)) return variable(name.substr(prefix.size()), where);
    }
    check(name.find(':') == std::string::npos, where, "unknown resolver: got ${", name,
          "}; valid: env, oc.env");
    return target(absolute(name, path, where), name, where);
  }

  static ConfigNode variable(const std::string& text, const std::string& where) {
    const size_t comma = text.find(',');
    const std::string name(trim(std::string_view(text).substr(0, comma)));
    if (const char* value = std::getenv(name.c_str())) return ConfigNode(plain_scalar(value));
    check(comma != std::string::npos, where, "environment variable is not set: got ", name,
          "; a default is written ${env:", name, ",DEFAULT}");
    const std::string fallback(trim(std::string_view(text).substr(comma + 1)));
    const bool quoted = fallback.size() > 1 && (fallback[0] == '"' || fallback[0] == '\'') &&
                        fallback.back() == fallback[0];
    if (quoted) return ConfigNode(fallback.substr(1, fallback.size() - 2));
    return ConfigNode(fallback.empty() ? ConfigNode::Value(fallback) : plain_scalar(fallback));
  }

  static Path absolute(const std::string& name, const Path& path, const std::string& where) {
    const size_t dots = std::min(name.find_first_not_of('.'), name.size());
    check(dots < name.size(), where, "interpolation without a key: got ${", name, "}");
    check(dots <= path.size(), where, "interpolation leaves the config: got ${", name, "}");
    Path out(path.begin(), dots == 0 ? path.begin() : path.end() - dots);
    for (const auto& part : split(std::string_view(name).substr(dots), '.')) out.push_back(part);
    return out;
  }

  ConfigNode target(const Path& path, const std::string& name, const std::string& where) {
    ConfigNode held;  // a target may lie inside the target of another interpolation
    const ConfigNode* node = &root_;
    bool resolved = false;
    Path walked;
    for (const auto& part : path) {
      if (!resolved && has_interpolation(*node)) {
        held = resolve(*node, walked);
        node = &held;
        resolved = true;
      }
      node = child_of(*node, part);
      check(node != nullptr, where, "interpolation of a missing key: got ${", name, "}",
            nearest(path));
      walked.push_back(part);
    }
    return resolved ? *node : resolve(*node, walked);
  }

  std::string nearest(const Path& path) const {
    const ConfigNode* node = &root_;
    for (const auto& part : path) {
      const ConfigNode* next = child_of(*node, part);
      if (next) {
        node = next;
        continue;
      }
      std::vector<std::string> names;
      if (node->is_map()) {
        for (const auto& [key, child] : node->as_map()) names.push_back(key);
      }
      const auto near = nearest_names(part, names);
      return near.empty() ? "" : ", no '" + part + "'; nearest: " + join(near);
    }
    return "";
  }

  const ConfigNode& root_;
  std::vector<Path> active_;
  size_t steps_ = 0;
};

}  // namespace

ConfigNode interpolate(const ConfigNode& root) { return Interpolator(root).resolve(root, {}); }

}  // namespace switchyard
