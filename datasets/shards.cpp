#include "datasets/shards.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/safetensors.h"
#include "core/io/sha256.h"

namespace switchyard {
namespace {

constexpr std::string_view kOffset = ".offset";

void check_offsets(const at::Tensor& offset, int64_t samples, int64_t rows,
                   const std::string& where) {
  const bool shaped =
      offset.scalar_type() == at::kLong && offset.dim() == 1 && offset.size(0) == samples + 1;
  check(shaped, where, "damaged offsets: expected ", samples + 1, " int64 values");
  const int64_t* value = offset.const_data_ptr<int64_t>();
  check(value[0] == 0 && value[samples] == rows && std::is_sorted(value, value + samples + 1),
        where, "damaged offsets: expected to rise from 0 to ", rows);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

ShardDataset::ShardDataset(std::filesystem::path folder)
    : folder_(std::move(folder)), index_(read_shard_index(folder_)) {
  for (const ShardFile& file : index_.shards) shards_.push_back(open_shard(file));
}

ShardDataset::Shard ShardDataset::open_shard(const ShardFile& file) const {
  const auto path = folder_ / file.name;
  const SafeTensors tensors = SafeTensors::open(path);
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  check(bytes == file.bytes, path.string(), "wrong size: got ", bytes, " bytes, expected ",
        file.bytes);
  Shard out;
  for (const std::string& key : tensors.names()) {
    if (key.ends_with(kOffset)) continue;
    const std::string where = path.string() + ":" + key;
    Column column{tensors.get(key), tensors.get(key + std::string(kOffset))};
    check(column.data.dim() > 0, where, "damaged: expected at least one axis");
    check_offsets(column.offset, file.samples, column.data.size(0), where);
    out.emplace(key, std::move(column));
  }
  return out;
}

SampleInfo ShardDataset::sample_info(int64_t index) const { return index_.samples.at(index).info; }

Sample ShardDataset::get(int64_t index, const Draw&) const {
  const ShardSample& entry = index_.samples.at(index);
  Sample out{{}, entry.info};
  for (const auto& [key, column] : shards_[entry.shard]) {
    if (contains(entry.absent, key)) continue;
    const int64_t* offset = column.offset.const_data_ptr<int64_t>() + entry.row;
    at::Tensor rows = column.data.narrow(0, offset[0], offset[1] - offset[0]);
    if (contains(index_.scalars, key)) {
      check(rows.numel() == 1, folder_.string() + ":" + entry.info.uri, "damaged: '", key,
            "' is not one number");
      rows = rows.reshape({});
    }
    out.tensors.emplace(key, std::move(rows));
  }
  return out;
}

void ShardDataset::verify() const {
  std::vector<std::string> damaged;
  for (const ShardFile& file : index_.shards) {
    if (sha256_file(folder_ / file.name) != file.sha256) damaged.push_back(file.name);
  }
  check(damaged.empty(), folder_.string(), "content differs from the hash in ", kShardIndexName,
        ": ", join(damaged));
}

Layout shards_layout() {
  const auto found = [](const std::filesystem::path& folder) {
    return std::filesystem::exists(folder / kShardIndexName);
  };
  const auto check = [](const std::filesystem::path& folder) {
    const ShardDataset dataset(folder);
    dataset.verify();
    Layout::Lines lines = {
        cat("layout: shards, ", dataset.index().shards.size(), " files, all hashes agree")};
    add_samples(dataset, lines);
    return lines;
  };
  return {"shards", kShardIndexName, found, check};
}

}  // namespace switchyard
