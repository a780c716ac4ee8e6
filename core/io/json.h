#pragma once
// JSON files. Keys keep their order; doubles are written in the shortest form that reads back
// equal.

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

/// Member `key` as a whole number. Errors at `where`: missing, not an integer, beyond int64.
int64_t integer_at(const Json& object, const std::string& key, const std::string& where);
/// Member `key` as a list of whole numbers.
std::vector<int64_t> integers_at(const Json& object, const std::string& key,
                                 const std::string& where);

Json to_json(const ConfigNode& node);
ConfigNode to_config(const Json& value, const Origin& origin = {});

}  // namespace switchyard
