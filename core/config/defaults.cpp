#include "core/config/defaults.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "core/base/error.h"
#include "core/config/merge.h"
#include "core/config/yaml.h"

namespace switchyard {
namespace {

constexpr const char* kEntryForms =
    "expected _self_, OPTION, GROUP: OPTION, `override /GROUP: OPTION` or `optional GROUP: OPTION`";

std::string folder_of(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash);
}

std::string join_folder(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::string option_text(const ConfigNode& node) {
  if (node.is_null()) return "";
  check(node.is_scalar(), node.origin().text(), "bad defaults entry: got ", node.to_line(), ", ",
        kEntryForms);
  const auto* text = std::get_if<std::string>(&node.value());
  return text ? *text : node.to_line();
}

bool take_word(std::string& text, const std::string& word) {
  if (!text.starts_with(word + " ")) return false;
  text = trim(std::string_view(text).substr(word.size()));
  return true;
}

DefaultsEntry read_entry(const ConfigNode& node) {
  DefaultsEntry entry;
  entry.origin = node.origin();
  if (node.is_map() && node.as_map().size() == 1) {
    entry.group = node.as_map()[0].first;
    entry.option = option_text(node.as_map()[0].second);
  } else {
    check(node.is_string(), node.origin().text(), "bad defaults entry: got ", node.to_line(), ", ",
          kEntryForms);
    entry.option = option_text(node);
    entry.is_self = entry.option == "_self_";
  }
  std::string& name = entry.group.empty() ? entry.option : entry.group;
  entry.is_override = take_word(name, "override");
  entry.is_optional = take_word(name, "optional");
  entry.is_absolute = name.starts_with("/");
  if (entry.is_absolute) name.erase(0, 1);
  check(!name.empty() && !(entry.is_override && entry.group.empty()), entry.origin.text(),
        "bad defaults entry: got ", node.to_line(), ", ", kEntryForms);
  check(site_of(entry.group).empty() || fills_moe(entry.group), entry.origin.text(),
        "packages are not supported: got ", entry.group,
        "; only router@SITE, experts@SITE and moe@SITE");
  return entry;
}

void append(std::vector<ConfigLayer>& to, const std::vector<ConfigLayer>& layers) {
  to.insert(to.end(), layers.begin(), layers.end());
}

/// Key of a layer inside the preset's own node: router/selector is `selector` of a router preset,
/// router is `router` of a moe preset.
std::string inner_path(const std::string& layer, const std::string& group,
                       const std::string& where) {
  if (layer == group) return "";
  if (group == "moe" && fills_moe(layer)) return layer;
  check(layer.starts_with(group + "/"), where, "the defaults list of a ", group,
        " option may only use its own group: got ", layer);
  std::string path = layer.substr(group.size() + 1);
  std::replace(path.begin(), path.end(), '/', '.');
  return path;
}

/// Layers of one preset as one body, relative to the preset's own node.
ConfigNode merge_layers(const std::vector<ConfigLayer>& layers, const std::string& group,
                        const std::string& where) {
  MergedConfig merged;
  for (const auto& layer : layers) merged.merge(inner_path(layer.group, group, where), layer.body);
  return merged.root();
}

}  // namespace

std::vector<DefaultsEntry> read_defaults(const ConfigNode& file) {
  std::vector<DefaultsEntry> entries;
  const ConfigNode* list = file.find("defaults");
  if (list && !list->is_null()) {
    for (const auto& node : list->as_list("defaults")) entries.push_back(read_entry(node));
  }
  const auto selves =
      std::count_if(entries.begin(), entries.end(), [](const auto& e) { return e.is_self; });
  check(selves <= 1, list ? list->origin().text() : "", "_self_ is listed ", selves,
        " times: expected once");
  if (selves == 0) {
    DefaultsEntry self;
    self.is_self = true;
    entries.push_back(self);
  }
  return entries;
}

DefaultsExpander::DefaultsExpander(const ConfigFolders& folders, GroupChoices chosen)
    : folders_(folders), chosen_(std::move(chosen)) {}

std::vector<ConfigLayer> DefaultsExpander::expand(const std::string& primary) {
  check(folders_.find(primary).has_value(), primary + ".yaml", "no such file in ", folders_.text());
  const GroupChoices arguments = chosen_;
  const Layers last = expand_moe_arguments(arguments);
  auto last_files = std::exchange(root_.files, {});
  Layers layers = expand_file({primary, ""}, primary, true);
  for (const auto& [group, choice] : arguments) {
    if (!loaded_.count(group)) append(layers, expand_group(group, choice, false));
  }
  append(layers, last);
  std::move(last_files.begin(), last_files.end(), std::back_inserter(root_.files));
  check_all_used();
  return layers;
}

DefaultsExpander::Layers DefaultsExpander::expand_moe_arguments(const GroupChoices& arguments) {
  Layers layers;
  for (const bool whole_layer : {true, false}) {  // moe= first: it brings a router and experts
    for (const auto& [group, choice] : arguments) {
      if (!fills_moe(group) || (group_of(group) == "moe") != whole_layer) continue;
      append(layers, expand_group(group, choice, false));
    }
  }
  return layers;
}

void DefaultsExpander::check_all_used() const {
  for (const auto& [group, choice] : chosen_) {
    check(loaded_.count(group) > 0, choice.where,
          "override of a group that no defaults list has: got '", group,
          "'; without `override` the entry adds it");
  }
}

DefaultsExpander::Layers DefaultsExpander::expand_file(const File& file, const std::string& where,
                                                       bool is_primary) {
  const auto open = std::find(open_files_.begin(), open_files_.end(), file.name);
  check(open == open_files_.end(), where,
        "the defaults lists form a cycle: ", join(open_files_, " -> "), " -> ", file.name);
  open_files_.push_back(file.name);
  ConfigFileTree tree{*folders_.find(file.name), file.group, where, {}};
  ConfigFileTree* const above = std::exchange(open_tree_, &tree);
  ConfigNode body = load_yaml(tree.path);
  if (body.is_null()) body.set_value(ConfigNode::Map{});
  check(body.is_map(), body.origin().text(), "a config file must be a map: got ", body.type_name());
  auto entries = read_defaults(body);
  body.erase("defaults");
  if (is_primary) put_root_groups_last(entries);
  take_overrides(entries, file);

  std::vector<Layers>
      parts;  // last entry first, so that its overrides are known to the earlier ones
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    parts.push_back(entry->is_self ? Layers{{file.group, body}} : expand_entry(*entry, file));
  }
  Layers out;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) append(out, *part);
  std::reverse(tree.files.begin(), tree.files.end());
  open_tree_ = above;
  above->files.push_back(std::move(tree));
  open_files_.pop_back();
  return out;
}

void DefaultsExpander::put_root_groups_last(std::vector<DefaultsEntry>& entries) const {
  for (const char* group : {"recipe", "experiment"}) {
    const auto is_it = [&](const DefaultsEntry& e) { return e.group == group; };
    if (chosen_.count(group) && std::none_of(entries.begin(), entries.end(), is_it)) {
      DefaultsEntry entry;
      entry.group = group;
      entry.is_absolute = true;
      entries.push_back(entry);
    }
    std::stable_partition(entries.begin(), entries.end(), std::not_fn(is_it));
  }
}

void DefaultsExpander::take_overrides(const std::vector<DefaultsEntry>& entries, const File& file) {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const std::string group = absolute_group(*entry, file);
    if (!entry->is_override || fills_moe(group)) continue;
    chosen_.try_emplace(group, GroupChoice{entry->option, entry->origin.text()});
  }
}

std::string DefaultsExpander::absolute_group(const DefaultsEntry& entry, const File& parent) {
  return entry.is_absolute ? entry.group : join_folder(parent.group, entry.group);
}

DefaultsExpander::Layers DefaultsExpander::expand_entry(const DefaultsEntry& entry,
                                                        const File& parent) {
  if (entry.group.empty()) return expand_bare(entry, parent);
  const std::string group = absolute_group(entry, parent);
  if (group == parent.group && !entry.is_override && !entry.option.empty()) {
    DefaultsEntry file = entry;  // one more file of its own group
    file.group.clear();
    file.option = group + "/" + entry.option;
    file.is_absolute = true;
    return expand_bare(file, parent);
  }
  const GroupChoice written{entry.option, entry.origin.text()};
  if (fills_moe(group)) {
    const bool nested = fills_moe(parent.group);
    return nested || !loaded_.count(group) ? expand_group(group, written, entry.is_optional)
                                           : Layers{};
  }
  if (entry.is_override) return {};
  const auto loaded = loaded_.find(group);
  check(loaded == loaded_.end(), written.where, "group '", group, "' is listed twice: first at ",
        loaded == loaded_.end() ? "" : loaded->second.where, "; use `override /", group,
        ": OPTION`");
  const auto chosen = chosen_.find(group);
  return expand_group(group, chosen == chosen_.end() ? written : chosen->second, entry.is_optional);
}

DefaultsExpander::Layers DefaultsExpander::expand_bare(const DefaultsEntry& entry,
                                                       const File& parent) {
  const std::string where = entry.origin.text();
  if (entry.is_absolute) {
    const std::string top = split(entry.option, '/')[0];
    const bool same = !parent.group.empty() && entry.option.starts_with(parent.group + "/");
    const File file{entry.option, same              ? parent.group
                                  : fills_root(top) ? top
                                                    : folder_of(entry.option)};
    if (entry.is_optional && !folders_.find(file.name)) return {};
    check(folders_.find(file.name).has_value(), where, "no such file: got /", entry.option,
          ".yaml in ", folders_.text());
    return expand_file(file, where);
  }
  const std::string folder = folder_of(parent.name), group = group_of(parent.group);
  for (const auto& name : {join_folder(folder, entry.option), join_folder(group, entry.option)}) {
    if (folders_.find(name)) return expand_file({name, parent.group}, where);
  }
  if (entry.is_optional) return {};
  if (group.empty()) fail(where, "no such file: got ", entry.option, ".yaml in ", folders_.text());
  folders_.find_option(group, entry.option, where);
  return {};
}

DefaultsExpander::Layers DefaultsExpander::expand_group(const std::string& group,
                                                        GroupChoice choice, bool is_optional) {
  loaded_[group] = choice;
  if (choice.option.empty()) return {};
  check(choice.option != "???", choice.where, group, " must be chosen: got ???, expected ", group,
        "=OPTION; valid: ", join(folders_.options(group)));
  if (is_optional && !folders_.find(group_of(group) + "/" + choice.option)) return {};
  folders_.find_option(group, choice.option, choice.where);
  if (fills_moe(group)) return expand_moe_group(group, choice);
  return expand_file({group_of(group) + "/" + choice.option, group}, choice.where);
}

DefaultsExpander::Layers DefaultsExpander::expand_moe_group(const std::string& group,
                                                            const GroupChoice& choice) {
  const std::string name = group_of(group);
  const GroupChoices outside = loaded_;
  const Layers layers = expand_file({name + "/" + choice.option, name}, choice.where);
  loaded_ = outside;
  open_tree_->files.back().group = group;
  return {{group, merge_layers(layers, name, choice.where)}};
}

}  // namespace switchyard
