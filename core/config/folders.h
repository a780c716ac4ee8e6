#pragma once
// The folders that hold configuration files: groups are folders, options are files.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace switchyard {

class ConfigFolders {
 public:
  /// Earlier folders hide files of the same name in later ones. Error if none exists.
  explicit ConfigFolders(std::vector<std::filesystem::path> search_dirs);

  /// `name`: "model/ptv3", without .yaml; never leaves the search folders.
  std::optional<std::filesystem::path> find(const std::string& name) const;
  /// The same; an Error at `where` lists the nearest and the valid options.
  std::filesystem::path find_option(const std::string& group, const std::string& option,
                                    const std::string& where) const;
  /// Sorted option names; those in subfolders as "a/b". `group` may carry "@SITE".
  std::vector<std::string> options(const std::string& group) const;
  bool is_group(const std::string& group) const;
  /// Sorted names of the folders at the top.
  std::vector<std::string> groups() const;
  /// "configs, more/configs"
  std::string text() const;

 private:
  std::vector<std::filesystem::path> dirs_;
};

/// "router" of "router@attn".
std::string group_of(const std::string& group_at_site);
/// "attn" of "router@attn"; "" without a site.
std::string site_of(const std::string& group_at_site);
/// moe, router, experts: the short names of groups that fill model.moe.
bool fills_moe(const std::string& group_at_site);
/// experiment, recipe: the groups that merge at the root.
bool fills_root(const std::string& group);

}  // namespace switchyard
