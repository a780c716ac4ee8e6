#pragma once
// Reader of packed shards (DESIGN 2): safetensors files with each key concatenated on axis 0, its
// rows per sample in `<key>.offset` [S+1] i64, and index.json. Memory-mapped; needs no other
// library.

#include "datasets/layout.h"
#include "datasets/shard_index.h"

namespace switchyard {

class ShardDataset : public Dataset {
 public:
  /// Checks the index, and header and size of every shard. Errors name the file.
  explicit ShardDataset(std::filesystem::path folder);

  int64_t size() const override { return static_cast<int64_t>(index_.samples.size()); }
  SampleInfo sample_info(int64_t index) const override;
  /// Tensors alias the mapped file: never write to one.
  Sample get(int64_t index, const Draw& draw) const override;
  const DatasetInfo& info() const override { return index_.info; }

  const ShardIndex& index() const { return index_; }
  /// Reads everything. An Error names every shard whose content differs from its hash.
  void verify() const;

 private:
  struct Column {
    at::Tensor data;    ///< [rows of all samples, ...]
    at::Tensor offset;  ///< [S+1] i64
  };
  using Shard = std::map<std::string, Column>;
  Shard open_shard(const ShardFile& file) const;

  std::filesystem::path folder_;
  ShardIndex index_;
  std::vector<Shard> shards_;
};

Layout shards_layout();

}  // namespace switchyard
