#include "datasets/shard_index.h"

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/json.h"
#include "core/io/sha256.h"
#include "datasets/latent_info.h"

namespace switchyard {
namespace {

constexpr const char* kSchema = "switchyard.shards/1";

using Strings = std::vector<std::string>;

ShardFile shard_from(const Json& item, const std::string& where) {
  ShardFile out{item.at("file"), item.at("sha256"), integer_at(item, "bytes", where),
                integer_at(item, "samples", where)};
  const bool plain =
      !out.name.empty() && out.name[0] != '.' && out.name.find('/') == std::string::npos;
  check(plain, where, "bad shard name: got '", out.name, "'");
  return out;
}

ShardSample sample_from(const Json& item, const ShardIndex& index, const std::string& where) {
  ShardSample out;
  out.shard = integer_at(item, "shard", where);
  out.row = integer_at(item, "row", where);
  out.info = {item.at("uri"), item.at("domain"), item.at("group"), item.at("split")};
  out.absent = item.value("absent", Strings());
  const bool shard_known = out.shard >= 0 && out.shard < static_cast<int64_t>(index.shards.size());
  check(shard_known && out.row >= 0 && out.row < index.shards[out.shard].samples, where, "sample '",
        out.info.uri, "' lies outside the shards: got shard ", out.shard, ", row ", out.row);
  return out;
}

ShardIndex index_from(const Json& json, const std::string& where) {
  check(json.is_object() && json.value("schema", "") == kSchema, where, "unknown schema: expected ",
        kSchema);
  ShardIndex out;
  out.info.class_names = json.at("classes").get<Strings>();
  out.info.source = json.at("source");
  out.info.synthetic = json.at("synthetic");
  if (json.contains("latent")) out.info.latent = latent_info_from(json.at("latent"), where);
  out.source_hash = json.at("source_hash");
  out.transform = json.at("transform");
  out.scalars = json.at("scalars").get<Strings>();
  for (const Json& item : json.at("shards")) out.shards.push_back(shard_from(item, where));
  for (const Json& item : json.at("samples")) out.samples.push_back(sample_from(item, out, where));
  return out;
}

Json to_json(const ShardSample& sample) {
  Json out = {{"shard", sample.shard},        {"row", sample.row},
              {"domain", sample.info.domain}, {"group", sample.info.group},
              {"uri", sample.info.uri},       {"split", sample.info.split}};
  if (!sample.absent.empty()) out["absent"] = sample.absent;
  return out;
}

}  // namespace

ShardIndex read_shard_index(const std::filesystem::path& folder) {
  const auto path = folder / kShardIndexName;
  const std::string text = read_text(path);
  try {
    ShardIndex out = index_from(parse_json(text, path.string()), path.string());
    out.info.hash = sha256_text(text);
    return out;
  } catch (const Json::exception& error) {
    fail(path.string(), "damaged index: ", std::string(error.what()));
  }
}

void write_shard_index(const std::filesystem::path& folder, const ShardIndex& index) {
  Json json = {{"schema", kSchema},
               {"source", index.info.source},
               {"synthetic", index.info.synthetic},
               {"source_hash", index.source_hash},
               {"transform", index.transform},
               {"classes", index.info.class_names},
               {"scalars", index.scalars},
               {"shards", Json::array()},
               {"samples", Json::array()}};
  if (index.info.latent) json["latent"] = to_json(*index.info.latent);
  for (const ShardFile& shard : index.shards) {
    json["shards"].push_back({{"file", shard.name},
                              {"sha256", shard.sha256},
                              {"bytes", shard.bytes},
                              {"samples", shard.samples}});
  }
  for (const ShardSample& sample : index.samples) json["samples"].push_back(to_json(sample));
  write_json(folder / kShardIndexName, json);
}

}  // namespace switchyard
