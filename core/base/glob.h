#pragma once

#include <string>

namespace switchyard {

/// Shell pattern (*, ?, [...]); `*` also matches slashes.
bool matches_glob(const std::string& pattern, const std::string& text);

}  // namespace switchyard
