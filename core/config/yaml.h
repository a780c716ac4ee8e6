#pragma once
// Strict YAML reader. Every value remembers file and line.
//
// Plain scalars are typed as in the YAML 1.2 core schema: ints, floats (1e-3, .5, .inf, .nan),
// true/false, null and ~; everything else (yes, no, on, off, 0x10, dates) is a string. Quoted and
// block scalars are always strings. Rejected with file:line: duplicate keys, `<<` merges, anchors,
// aliases, tags, keys that are not scalars, several documents, control characters, more than 64
// levels, more than 50 000 values, more than 4 MB.

#include <filesystem>
#include <string>

#include "core/config/node.h"

namespace switchyard {

inline constexpr size_t kMaxYamlBytes = size_t{4} << 20;
inline constexpr int kMaxConfigDepth = 64;
inline constexpr size_t kMaxConfigValues = 50'000;

/// Reads one file; its place is the path as given, relative to the working folder where it lies
/// below it.
ConfigNode load_yaml(const std::filesystem::path& path);

/// Reads one document; `place` names it in errors and origins. Empty text gives null.
ConfigNode parse_yaml(const std::string& text, const std::string& place);

/// Type and value of an unquoted scalar.
ConfigNode::Value plain_scalar(const std::string& text);

}  // namespace switchyard
