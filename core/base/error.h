#pragma once
// The one error type. Form of every message (DESIGN 12):
//   [where] what is wrong: got X, expected Y; valid: a, b, c

#include <stdexcept>

#include "core/base/text.h"

namespace switchyard {

/// A mistake that the user can mend: bad input, config, file or argument. The program ends with
/// exit code 1 and this message in one line. Anything else that escapes is an internal error (2).
class Error : public std::runtime_error {
 public:
  /// `where`: file:line, argument, op or file name. `message`: what, got, expected, valid.
  Error(const std::string& where, const std::string& message)
      : std::runtime_error("[" + where + "] " + message), where_(where) {}
  const std::string& where() const { return where_; }

 private:
  std::string where_;
};

template <class... Parts>
[[noreturn]] void fail(std::string_view where, const Parts&... parts) {
  throw Error(std::string(where), cat(parts...));
}

/// Throws Error unless `ok`. The message is built only on failure.
template <class... Parts>
void check(bool ok, std::string_view where, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(where, parts...);
}

/// Fails with "unknown KIND: got NAME; nearest: ...; valid: ..." unless `names` holds `name`.
void check_name(std::string_view where, std::string_view kind, std::string_view name,
                const std::vector<std::string>& names);

}  // namespace switchyard
