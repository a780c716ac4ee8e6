#pragma once
// One log for the program: human-readable lines on stderr. Results go to stdout, never through
// here.

#include "core/base/text.h"

namespace switchyard::log {

enum class Level { Debug, Info, Warning, Error };

void set_level(Level level);
void write(Level level, const std::string& message);

template <class... Parts>
void debug(const Parts&... parts) {
  write(Level::Debug, cat(parts...));
}
template <class... Parts>
void info(const Parts&... parts) {
  write(Level::Info, cat(parts...));
}
template <class... Parts>
void warn(const Parts&... parts) {
  write(Level::Warning, cat(parts...));
}
template <class... Parts>
void error(const Parts&... parts) {
  write(Level::Error, cat(parts...));
}

}  // namespace switchyard::log
