#include "apps/first_line.h"

#include <cstdio>

#include "core/base/text.h"

namespace switchyard {

std::string first_line(const char* command) {
  std::string out;
  if (FILE* pipe = ::popen(command, "r")) {
    char buffer[256];
    if (std::fgets(buffer, sizeof buffer, pipe)) out = std::string(trim(buffer));
    ::pclose(pipe);
  }
  return out;
}

}  // namespace switchyard
