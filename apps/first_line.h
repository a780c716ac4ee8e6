#pragma once

#include <string>

namespace switchyard {

/// First line of a shell command's output, trimmed; empty where it prints none.
std::string first_line(const char* command);

}  // namespace switchyard
