#include "core/config/inspect.h"

#include "core/base/error.h"
#include "core/config/merge.h"

namespace switchyard {
namespace {

bool is_leaf(const ConfigNode& node) { return !node.is_map() || node.as_map().empty(); }

void collect_leaves(const ConfigNode& node, const std::string& path,
                    std::vector<std::string>& out) {
  if (is_leaf(node)) return out.push_back(path);
  for (const auto& [key, child] : node.as_map()) collect_leaves(child, join_path(path, key), out);
}

void collect_missing(const ConfigNode& node, const std::string& path,
                     std::vector<std::string>& out) {
  if (const auto* text = std::get_if<std::string>(&node.value())) {
    if (*text == "???") out.push_back(path);
  } else if (node.is_list()) {
    for (size_t i = 0; i < node.as_list().size(); ++i) {
      collect_missing(node.as_list()[i], cat(path, "[", i, "]"), out);
    }
  } else if (node.is_map()) {
    for (const auto& [key, child] : node.as_map())
      collect_missing(child, join_path(path, key), out);
  }
}

std::string explain_leaf(const Composed& composed, const std::string& key, const ConfigNode& node) {
  std::string out = key + " = " + node.to_line() + ", set by ";
  const auto found = composed.history.find(key);
  if (found == composed.history.end()) return out + node.origin().text();
  const auto& values = found->second;
  out += values.back().origin().text();
  if (!values.back().same_value(node)) out += " as " + values.back().to_line();
  std::vector<std::string> older;
  for (auto value = values.rbegin() + 1; value != values.rend(); ++value)
    older.push_back(value->origin().text());
  return older.empty() ? out : out + " (overrides " + join(older) + ")";
}

void list_files(const std::vector<ConfigFileTree>& files, const std::string& indent,
                std::vector<std::string>& out) {
  for (const auto& file : files) {
    const bool primary = indent.empty() && file.group.empty();
    out.push_back(cat(indent, file.group.empty() ? "(root)" : file.group, ": ", file.path.string(),
                      primary ? "" : ", chosen by " + file.where));
    list_files(file.files, indent + "  ", out);
  }
}

}  // namespace

const std::vector<std::string>& top_level_keys() {
  static const std::vector<std::string> kKeys = {
      "seed",   "device",     "run",       "data",     "checkpoint", "checkpoint_strict",
      "resume", "experiment", "recipe",    "model",    "dataset",    "class_map",
      "task",   "trainer",    "optimizer", "schedule", "trace",      "eval",
      "study",  "report",     "bench"};
  return kKeys;
}

void check_top_level(const ConfigNode& config) {
  for (const auto& [key, node] : config.as_map("config")) {
    check_name(node.origin().text(), "top-level key", key, top_level_keys());
  }
}

std::vector<std::string> missing_keys(const ConfigNode& config) {
  std::vector<std::string> out;
  collect_missing(config, "", out);
  return out;
}

std::vector<std::string> leaf_keys(const ConfigNode& config) {
  std::vector<std::string> out;
  collect_leaves(config, "", out);
  return out;
}

std::string info_tree(const Composed& composed) {
  std::vector<std::string> lines;
  list_files(composed.files, "", lines);
  return join(lines, "\n");
}

std::string why(const Composed& composed, const std::string& key) {
  const ConfigNode* node = composed.config.find_path(key);
  if (!node) {
    const auto near = nearest_names(key, leaf_keys(composed.config));
    fail("--cfg why " + key, "unknown key: got '", key, "'",
         near.empty() ? "" : "; nearest: " + join(near));
  }
  std::vector<std::string> leaves, lines;
  collect_leaves(*node, key, leaves);
  for (const auto& leaf : leaves)
    lines.push_back(explain_leaf(composed, leaf, *composed.config.find_path(leaf)));
  return join(lines, "\n");
}

}  // namespace switchyard
