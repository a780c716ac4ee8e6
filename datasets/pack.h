#pragma once
// `switchyard pack`: any dataset -> shards (see shards.h).

#include <filesystem>
#include <functional>
#include <string>

#include "datasets/dataset.h"

namespace switchyard {

struct PackOptions {
  int64_t max_bytes = int64_t{256} << 20;  ///< of tensor data per shard; one sample may exceed it
  bool verify = false;                     ///< read everything back and check the hashes
  std::string transform = "raw";           ///< version of what was done to the data before packing
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

/// Writes `folder` atomically, replacing only an older pack. Error: a dataset with random
/// transforms. Samples need unique uris; a key must have one type in all samples and one shape
/// behind axis 0 within a shard; a sample may lack a key.
void pack(const Dataset& dataset, const std::filesystem::path& folder,
          const PackOptions& options = {});

/// `folder` is a pack of exactly these data: equal source hash (never so for a dataset without
/// one).
bool is_packed(const Dataset& dataset, const std::filesystem::path& folder);

}  // namespace switchyard
