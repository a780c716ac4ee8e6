#pragma once
// Composes the configuration of a run from files and command-line overrides: Hydra's grammar,
// without packages.
//
// A file may begin with a `defaults` list. Its entries, merged in order:
//   _self_                  the body of the file itself (last if not listed)
//   group: option           the file group/option.yaml; relative to the file's own group
//   /group: option          the same from the root of the config folder
//   group: null             no choice yet;  `group: ???`: must be chosen by argument or `override`
//   option, /group/option   one more file of the same (or the named) group; so does an entry that
//   names
//                           the file's own group, as /experiment: base in an experiment
//   optional group: option  skipped if there is no such file
//   override /group: option changes the choice of an entry elsewhere; it keeps that entry's place
//
// Placement is by path: group a/b fills node a.b. Exceptions:
//   recipe, experiment      merge at the root, in this order, after the primary file's body
//   wherever it
//                           lists them; the name of the choice becomes the node's value
//   moe, router, experts    fill model.moe, model.moe.router, model.moe.experts of every site;
//   router@SITE             ... of one site. As arguments they come after all files. Router and
//                           experts are replaced as a whole: a preset is a complete pipeline; an
//                           empty moe preset means no sites.
//
// Maps merge deeply; lists and scalars replace. A map whose `type` changes is replaced: it inherits
// no parameter of the old type. A bare string X merges as {type: X} with a map that has a type.
//
// Overrides are applied in the order given, after all files (see override.h). `group=option`
// chooses where the key is a folder of option files. Interpolation comes last (see interpolate.h).

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/config/defaults.h"
#include "core/config/folders.h"
#include "core/config/node.h"
#include "core/config/override.h"

namespace switchyard {

/// All values that a leaf ever had while composing, oldest first, before interpolation.
using ConfigHistory = std::map<std::string, std::vector<ConfigNode>>;

struct Composed {
  ConfigNode config;  ///< resolved
  std::vector<Override> overrides;
  std::map<std::string, std::string> choices;  ///< group -> option
  std::vector<ConfigFileTree> files;           ///< which file brought which
  ConfigHistory history;                       ///< dotted key -> values
};

class Composer {
 public:
  /// Folders to look in; the first that has a file wins.
  explicit Composer(std::vector<std::filesystem::path> search_dirs);

  /// `primary`: name of the file to begin with, without .yaml. Errors name file:line or the
  /// argument.
  ConfigNode compose(const std::string& primary, const std::vector<std::string>& overrides) const;
  /// The same with choices and history.
  Composed compose_traced(const std::string& primary,
                          const std::vector<std::string>& overrides) const;

  /// Groups and their options.
  const ConfigFolders& folders() const { return folders_; }

 private:
  ConfigFolders folders_;
};

}  // namespace switchyard
