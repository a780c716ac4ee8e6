#pragma once
// Reads defaults lists and turns a primary file with its choices into layers in merge order.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/folders.h"
#include "core/config/node.h"

namespace switchyard {

/// One entry of a defaults list (grammar: compose.h).
struct DefaultsEntry {
  bool is_self = false, is_override = false, is_optional = false;
  bool is_absolute = false;
  std::string group;   ///< as written; "" for a bare option
  std::string option;  ///< "" for null
  Origin origin;
};

/// The `defaults` list of a file; `_self_` is added at the end if it is not listed.
std::vector<DefaultsEntry> read_defaults(const ConfigNode& file);

/// The body of one file, and the group that it fills ("": the root; "router@attn": one site).
struct ConfigLayer {
  std::string group;
  ConfigNode body;
};

/// A group's option and who chose it. "" stands for null: nothing is loaded.
struct GroupChoice {
  std::string option;
  std::string where;
};
using GroupChoices = std::map<std::string, GroupChoice>;

/// A file that was read, and below it, in the order of its defaults list, those that it brought.
struct ConfigFileTree {
  std::filesystem::path path;
  std::string group;  ///< that it fills; "": the root
  std::string where;  ///< the defaults entry or the argument that chose it
  std::vector<ConfigFileTree> files;
};

class DefaultsExpander {
 public:
  /// `chosen`: choices of the command line; they win over those in files.
  DefaultsExpander(const ConfigFolders& folders, GroupChoices chosen);

  /// All layers in merge order. Errors: missing files, cycles, a group listed twice, an override
  /// without an entry, a choice that is still ???.
  std::vector<ConfigLayer> expand(const std::string& primary);

  /// What was loaded, by group.
  const GroupChoices& loaded() const { return loaded_; }
  /// The primary file, then those that only arguments chose.
  const std::vector<ConfigFileTree>& files() const { return root_.files; }

 private:
  struct File {
    std::string name;   ///< "model/ptv3", without .yaml
    std::string group;  ///< that it fills
  };
  using Layers = std::vector<ConfigLayer>;

  Layers expand_file(const File& file, const std::string& where, bool is_primary = false);
  Layers expand_entry(const DefaultsEntry& entry, const File& parent);
  Layers expand_bare(const DefaultsEntry& entry, const File& parent);
  Layers expand_group(const std::string& group, GroupChoice choice, bool is_optional);
  Layers expand_moe_arguments(const GroupChoices& arguments);
  Layers expand_moe_group(const std::string& group, const GroupChoice& choice);
  void put_root_groups_last(std::vector<DefaultsEntry>& entries) const;
  void take_overrides(const std::vector<DefaultsEntry>& entries, const File& file);
  void check_all_used() const;
  static std::string absolute_group(const DefaultsEntry& entry, const File& parent);

  const ConfigFolders& folders_;
  GroupChoices chosen_, loaded_;
  std::vector<std::string> open_files_;
  ConfigFileTree root_;
  ConfigFileTree* open_tree_ = &root_;  ///< of the innermost open file
};

}  // namespace switchyard
