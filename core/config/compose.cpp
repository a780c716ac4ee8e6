#include "core/config/compose.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/config/defaults.h"
#include "core/config/inspect.h"
#include "core/config/interpolate.h"
#include "core/config/merge.h"
#include "core/config/moe_sites.h"

namespace switchyard {
namespace {

/// `group=option`, rather than a value: the key is a folder of options and the value is no list or
/// map.
bool is_group_choice(const ConfigFolders& folders, const Override& o) {
  if (o.kind == Override::Kind::Delete || o.key.find('.') != std::string::npos) return false;
  if (!folders.is_group(o.key)) return false;
  const std::string_view value = trim(o.value_text);
  return value.find("${") == std::string_view::npos && !value.starts_with('[') &&
         !value.starts_with('{');
}

std::string chosen_option(const ConfigFolders& folders, const Override& o) {
  check(site_of(o.key).empty() || fills_moe(o.key), o.where(), "packages are not supported: got ",
        o.key, "; only router@SITE, experts@SITE and moe@SITE");
  const ConfigNode value = parse_override_value(o.value_text, {o.where()});
  if (value.is_null()) return "";
  const auto* text = std::get_if<std::string>(&value.value());
  const std::string option = text ? *text : value.to_line();
  folders.find_option(o.key, option, o.where());
  return option;
}

/// Splits the overrides into choices of options and settings of values.
GroupChoices take_choices(const ConfigFolders& folders, const std::vector<Override>& overrides,
                          std::vector<Override>& settings) {
  GroupChoices choices;
  for (const auto& o : overrides) {
    if (is_group_choice(folders, o))
      choices[o.key] = {chosen_option(folders, o), o.where()};
    else
      settings.push_back(o);
  }
  return choices;
}

void place(MergedConfig& config, const ConfigLayer& layer, const std::string& where) {
  if (layer.group.empty() || fills_root(layer.group)) return config.merge("", layer.body);
  if (fills_moe(layer.group)) return fill_moe(config, layer.group, layer.body, where);
  std::string path = layer.group;
  std::replace(path.begin(), path.end(), '/', '.');
  config.merge(path, layer.body);
}

/// Dotted keys of all nodes.
void collect_keys(const ConfigNode& node, const std::string& path, std::vector<std::string>& out) {
  if (!node.is_map()) return;
  for (const auto& [key, child] : node.as_map()) {
    const std::string below = join_path(path, key);
    out.push_back(below);
    collect_keys(child, below, out);
  }
}

/// What an unknown key may have meant: full keys that end with it, else those spelled alike.
std::vector<std::string> suggestions(const ConfigNode& root, const ConfigFolders& folders,
                                     const std::string& key) {
  std::vector<std::string> keys, near;
  collect_keys(root, "", keys);
  for (const auto& full : keys) {
    if (full.ends_with("." + key) && near.size() < 3) near.push_back(full);
  }
  for (const auto& group : folders.groups()) {
    if (!root.find(group)) keys.push_back(group);
  }
  return near.empty() ? nearest_names(key, keys) : near;
}

void check_exists(const ConfigNode& root, const ConfigFolders& folders, const Override& o) {
  if (root.find_path(o.key)) return;
  const auto near = suggestions(root, folders, o.key);
  fail(o.where(), "unknown key: got '", o.key, "', expected a key of the config",
       o.kind == Override::Kind::Delete ? "" : " (+" + o.key + "=VALUE adds one)",
       near.empty() ? "" : "; nearest: " + join(near));
}

/// A key can only be added below maps; a missing or null one, or a bare type name, becomes a map.
void check_parents(const ConfigNode& root, const Override& o) {
  for (size_t dot = o.key.find('.'); dot != std::string::npos; dot = o.key.find('.', dot + 1)) {
    const ConfigNode* parent = root.find_path(o.key.substr(0, dot));
    if (!parent) return;
    check(parent->is_map() || parent->is_null() || parent->is_string(), o.where(),
          "cannot set a key of ", o.key.substr(0, dot), ": it has type ", parent->type_name(),
          ", set at ", parent->origin().text());
  }
}

void remove(MergedConfig& config, const Override& o) {
  const ConfigNode& old = *config.root().find_path(o.key);
  if (o.has_value) {
    const ConfigNode value = parse_override_value(o.value_text, {o.where()});
    check(old.same_value(value), o.where(), "not removed: got value ", value.to_line(),
          ", expected ", old.to_line(), " as set at ", old.origin().text());
  }
  config.erase(o.key);
}

void apply(MergedConfig& config, const ConfigFolders& folders, const Override& o) {
  check(o.key.find('@') == std::string::npos, o.where(), "not a config group: got '", o.key, "'");
  const bool deletes = o.kind == Override::Kind::Delete;
  check(!deletes || !fills_root(o.key), o.where(), "cannot remove what ", o.key,
        " has set: expected ", o.key, "=null");
  const ConfigNode* old = config.root().find_path(o.key);
  if (o.kind == Override::Kind::Set || deletes) check_exists(config.root(), folders, o);
  if (deletes) return remove(config, o);
  check(o.kind != Override::Kind::Add || !old, o.where(), "key exists already: got '", o.key,
        "', set at ", old ? old->origin().text() : "", "; use ", o.key, "=VALUE or ++", o.key,
        "=VALUE");
  check_parents(config.root(), o);
  config.merge(o.key, parse_override_value(o.value_text, {o.where()}));
}

/// experiment and recipe hold the names of their options.
void name_root_choices(MergedConfig& config, const GroupChoices& loaded) {
  for (const auto& [group, choice] : loaded) {
    if (!fills_root(group) || choice.option.empty()) continue;
    config.merge(group, ConfigNode(choice.option, {choice.where}));
  }
}

}  // namespace

Composer::Composer(std::vector<std::filesystem::path> search_dirs)
    : folders_(std::move(search_dirs)) {}

ConfigNode Composer::compose(const std::string& primary,
                             const std::vector<std::string>& overrides) const {
  return compose_traced(primary, overrides).config;
}

Composed Composer::compose_traced(const std::string& primary,
                                  const std::vector<std::string>& overrides) const {
  Composed out;
  std::vector<Override> settings;
  for (const auto& text : overrides) out.overrides.push_back(parse_override(text));
  DefaultsExpander expander(folders_, take_choices(folders_, out.overrides, settings));
  const auto layers = expander.expand(primary);
  MergedConfig merged;
  for (const auto& layer : layers) {
    const auto choice = expander.loaded().find(layer.group);
    place(merged, layer, choice == expander.loaded().end() ? primary : choice->second.where);
  }
  name_root_choices(merged, expander.loaded());
  for (const auto& setting : settings) apply(merged, folders_, setting);
  for (const auto& [group, choice] : expander.loaded()) {
    if (!choice.option.empty()) out.choices[group] = choice.option;
  }
  for (const auto& setting : settings) {
    if (setting.kind == Override::Kind::Delete) out.choices.erase(setting.key);
  }
  out.files = expander.files();
  out.history = merged.history();
  out.config = interpolate(merged.root());
  return out;
}

}  // namespace switchyard
