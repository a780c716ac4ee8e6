#include "core/io/json.h"

#include "core/base/error.h"
#include "core/io/file.h"

namespace switchyard {
namespace {

int64_t integer(const Json& value, const std::string& key, const std::string& where) {
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX});
  check(fits, where, "'", key, "' is not a whole number: got ", value.dump().substr(0, 40));
  return value.get<int64_t>();
}

const Json& member(const Json& object, const std::string& key, const std::string& where) {
  check(object.is_object() && object.contains(key), where, "damaged: '", key, "' is missing");
  return object.at(key);
}

}  // namespace

int64_t integer_at(const Json& object, const std::string& key, const std::string& where) {
  return integer(member(object, key, where), key, where);
}

std::vector<int64_t> integers_at(const Json& object, const std::string& key,
                                 const std::string& where) {
  const Json& list = member(object, key, where);
  check(list.is_array(), where, "'", key, "' is not a list");
  std::vector<int64_t> out;
  for (const Json& item : list) out.push_back(integer(item, key, where));
  return out;
}

Json parse_json(const std::string& text, const std::string& where) {
  constexpr int kMaxDepth = 64;
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    check(depth <= kMaxDepth, where, "JSON is nested too deep: expected at most ", kMaxDepth,
          " levels");
    return true;
  };
  try {
    return Json::parse(text, limit_depth);
  } catch (const Json::exception& error) {  // syntax, or a number beyond double
    fail(where, "not valid JSON: ", std::string(error.what()));
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_text(path), path.string());
}

void write_json(const std::filesystem::path& path, const Json& value, int indent) {
  write_text(path, value.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json to_json(const ConfigNode& node) {
  if (node.is_null()) return nullptr;
  if (node.is_bool()) return node.as_bool();
  if (node.is_int()) return node.as_int();
  if (node.is_double()) return node.as_double();
  if (node.is_string()) return std::get<std::string>(node.value());
  if (node.is_list()) {
    Json list = Json::array();
    for (const auto& item : node.as_list()) list.push_back(to_json(item));
    return list;
  }
  Json map = Json::object();
  for (const auto& [key, item] : node.as_map()) map[key] = to_json(item);
  return map;
}

ConfigNode to_config(const Json& value, const Origin& origin) {
  if (value.is_null()) return ConfigNode(std::monostate{}, origin);
  if (value.is_boolean()) return ConfigNode(value.get<bool>(), origin);
  if (value.is_number_integer()) return ConfigNode(value.get<int64_t>(), origin);
  if (value.is_number()) return ConfigNode(value.get<double>(), origin);
  if (value.is_string()) return ConfigNode(value.get<std::string>(), origin);
  if (value.is_array()) {
    ConfigNode::List list;
    for (const auto& item : value) list.push_back(to_config(item, origin));
    return ConfigNode(std::move(list), origin);
  }
  ConfigNode::Map map;
  for (const auto& [key, item] : value.items()) map.emplace_back(key, to_config(item, origin));
  return ConfigNode(std::move(map), origin);
}

}  // namespace switchyard
