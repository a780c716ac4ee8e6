#pragma once
// index.json of a folder of shards ("switchyard.shards/1"):
//   {"schema", "source", "synthetic", "source_hash", "transform", "classes": [..], "scalars":
//   [key..], "latent": {..}? (latent_info.h),
//    "shards":  [{"file", "sha256", "bytes", "samples"}],
//    "samples": [{"shard", "row", "domain", "group", "uri", "split", "absent": [key..]?}]}

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace switchyard {

struct ShardFile {
  std::string name;    ///< file name inside the folder
  std::string sha256;  ///< of the whole file
  int64_t bytes = 0;   ///< size of the whole file
  int64_t samples = 0;
};

struct ShardSample {
  int64_t shard = 0, row = 0;
  SampleInfo info;
  std::vector<std::string> absent;  ///< keys of the shard that this sample does not have
};

struct ShardIndex {
  DatasetInfo info;                  ///< hash: SHA-256 of the text of index.json
  std::string source_hash;           ///< hash of the dataset that was packed
  std::string transform;             ///< version of what was done to the data before packing
  std::vector<std::string> scalars;  ///< keys whose tensors have no axis
  std::vector<ShardFile> shards;
  std::vector<ShardSample> samples;
};

inline constexpr const char* kShardIndexName = "index.json";

/// Errors: missing or damaged file, another schema, a shard name that leaves the folder, a sample
/// outside its shard.
ShardIndex read_shard_index(const std::filesystem::path& folder);
/// Leaves `info.hash` to the reader.
void write_shard_index(const std::filesystem::path& folder, const ShardIndex& index);

}  // namespace switchyard
