#pragma once
// JSON files. Keys keep their order; doubles are written in the shortest form that reads back equal.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/config/node.h"

namespace switchyard {

using Json = nlohmann::ordered_json;

/// Errors: missing file, syntax (with byte position), nesting deeper than 64.
Json read_json(const std::filesystem::path& path);
Json parse_json(const std::string& text, const std::string& where);
/// Atomic. Non-finite numbers become null.
void write_json(const std::filesystem::path& path, const Json& value, int indent = 1);

Json to_json(const ConfigNode& node);
ConfigNode to_config(const Json& value, const Origin& origin = {});

}  // namespace switchyard
