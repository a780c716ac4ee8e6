#include "core/base/error.h"

#include <algorithm>

namespace switchyard {

void check_name(std::string_view where, std::string_view kind, std::string_view name,
                const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto near = nearest_names(name, names);
  fail(where, "unknown ", kind, ": got '", name, "'",
       near.empty() ? std::string() : "; nearest: " + join(near), "; valid: ", join(names));
}

}  // namespace switchyard
