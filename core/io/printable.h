#pragma once

#include <string>
#include <string_view>

namespace switchyard {

/// 'text' of a file that nobody trusts, for a message in one line: what is not printable ASCII
/// becomes ?, what is behind 100 bytes becomes "...".
std::string printable(std::string_view text);

}  // namespace switchyard
