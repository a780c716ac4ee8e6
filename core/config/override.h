#pragma once
// Grammar of command-line overrides, as in Hydra:
//   key=value  +key=value  ++key=value  ~key  ~key=value
// A key is dotted (optimizer.lr), or names a config group (model, model/encoder, router@SITE).
// A value is a plain scalar, 'quoted' or "quoted" text, [list], {key: value} or text with ${...}.
// A backslash keeps the next character as it is. Sweep values: see sweep.h.

#include <string>
#include <vector>

#include "core/config/node.h"

namespace switchyard {

struct Override {
  enum class Kind {
    Set,     ///< key=value: the key must exist
    Add,     ///< +key=value: the key must not exist
    Force,   ///< ++key=value: either
    Delete,  ///< ~key or ~key=value: the key must exist (and have that value)
  };
  Kind kind = Kind::Set;
  std::string key;
  std::string value_text;  ///< as typed, right of the first '='
  bool has_value = false;
  std::string text;  ///< the whole argument

  std::string where() const { return "argument '" + text + "'"; }
};

/// Error if there is no key, or no value where one is needed.
Override parse_override(const std::string& text);

/// The value of an override. Sweep values are an Error that says to use `sweep`.
ConfigNode parse_override_value(const std::string& text, const Origin& origin);

/// Pieces between commas that stand outside quotes, brackets and ${...}; one piece if there are
/// none.
std::vector<std::string> split_top_level(const std::string& text);

/// True for 1,2 and choice(...), range(...), glob(...).
bool is_sweep_value(const std::string& text);

}  // namespace switchyard
