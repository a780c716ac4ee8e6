#include "datasets/pack.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "core/io/sha256.h"
#include "datasets/shards.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kOffset = ".offset";

int64_t bytes_of(const Sample& sample) {
  int64_t bytes = 0;
  for (const auto& [key, tensor] : sample.tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

/// Collects samples and writes a shard whenever enough have come together.
class ShardWriter {
 public:
  ShardWriter(fs::path folder, int64_t max_bytes, ShardIndex& index)
      : folder_(std::move(folder)), max_bytes_(max_bytes), index_(index) {}

  void add(const Sample& sample) {
    const int64_t bytes = bytes_of(sample);
    if (rows_ > 0 && bytes_ + bytes > max_bytes_) flush();
    check(uris_.insert(sample.info.uri).second, sample.info.uri, "two samples have this uri");
    for (const auto& [key, tensor] : sample.tensors) append(key, tensor, sample.info.uri);
    ++rows_;
    bytes_ += bytes;
    for (auto& [key, column] : columns_) close_row(column);
    index_.samples.push_back(
        {static_cast<int64_t>(index_.shards.size()), rows_ - 1, sample.info, {}});
  }

  void flush() {
    if (rows_ == 0) return;
    mark_absent();
    const std::string number = std::to_string(index_.shards.size());
    const std::string name = "shard-" + std::string(5 - std::min<size_t>(5, number.size()), '0') +
                             number + ".safetensors";
    write_safetensors(folder_ / name, tensors());
    index_.shards.push_back({name, sha256_file(folder_ / name),
                             static_cast<int64_t>(fs::file_size(folder_ / name)), rows_});
    columns_.clear();
    rows_ = bytes_ = 0;
  }

 private:
  struct Column {
    std::vector<at::Tensor> parts;
    std::vector<int64_t> offset = {0};
    std::set<int64_t> present;
    int64_t end = 0;
  };

  void append(const std::string& key, const at::Tensor& tensor, const std::string& uri) {
    check(!key.ends_with(kOffset), uri, "a key must not end with '.offset': got '", key, "'");
    const auto [known, fresh] =
        types_.emplace(key, std::pair(tensor.scalar_type(), tensor.dim() == 0));
    check(known->second == std::pair(tensor.scalar_type(), tensor.dim() == 0), uri, "'", key,
          "' differs in type from the samples before: got ", c10::toString(tensor.scalar_type()));
    if (fresh && tensor.dim() == 0) index_.scalars.push_back(key);
    const at::Tensor rows = tensor.dim() == 0 ? tensor.reshape({1}) : tensor;
    Column& column = columns_.try_emplace(key).first->second;
    if (column.parts.empty()) column.offset.assign(rows_ + 1, 0);
    const bool fits =
        column.parts.empty() || column.parts[0].sizes().slice(1) == rows.sizes().slice(1);
    check(fits, uri, "'", key, "' differs in shape behind the first axis: got ",
          to_text(rows.sizes().vec()), ", expected as ",
          to_text(column.parts.empty() ? rows.sizes().vec() : column.parts[0].sizes().vec()));
    column.parts.push_back(rows);
    column.present.insert(rows_);
    column.end += rows.size(0);
  }

  void close_row(Column& column) { column.offset.push_back(column.end); }

  void mark_absent() {
    for (int64_t row = 0; row < rows_; ++row) {
      ShardSample& sample = index_.samples[index_.samples.size() - rows_ + row];
      for (const auto& [key, column] : columns_) {
        if (!column.present.count(row)) sample.absent.push_back(key);
      }
    }
  }

  /// Wide types first, so that every tensor is aligned in the file.
  NamedTensors tensors() const {
    NamedTensors out;
    for (const auto& [key, column] : columns_) {
      out.emplace_back(key, at::cat(column.parts));
      out.emplace_back(key + std::string(kOffset), at::tensor(column.offset, at::kLong));
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
      return a.second.element_size() > b.second.element_size();
    });
    return out;
  }

  fs::path folder_;
  int64_t max_bytes_, rows_ = 0, bytes_ = 0;
  ShardIndex& index_;
  std::map<std::string, Column> columns_;
  std::map<std::string, std::pair<at::ScalarType, bool>> types_;  ///< dtype, is a scalar
  std::set<std::string> uris_;
};

void check_target(const fs::path& folder) {
  const bool free = !fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder));
  check(free || fs::exists(folder / kShardIndexName), folder.string(),
        "exists and is no pack: it will not be replaced; choose another folder");
}

}  // namespace

bool is_packed(const Dataset& dataset, const fs::path& folder) {
  const std::string hash = dataset.info().hash;
  return !hash.empty() && fs::exists(folder / kShardIndexName) &&
         read_shard_index(folder).source_hash == hash;
}

void pack(const Dataset& dataset, const fs::path& folder, const PackOptions& options) {
  check(dataset.size() > 0, folder.string(), "nothing to pack: the dataset is empty");
  check(!dataset.info().random, folder.string(),
        "shards hold no random transforms: got a dataset whose samples depend on a draw; pack the "
        "dataset below its transforms");
  check(options.max_bytes > 0, "max_bytes", "must be positive: got ", options.max_bytes);
  check_target(folder);
  ShardIndex index;
  index.info = dataset.info();
  index.source_hash = dataset.info().hash;
  index.transform = options.transform;
  write_folder_atomic(folder, [&](const fs::path& temporary) {
    ShardWriter writer(temporary, options.max_bytes, index);
    for (int64_t i = 0; i < dataset.size(); ++i) {
      writer.add(dataset.get(i, Draw{0, 0, i}));
      if (options.progress) options.progress(i + 1, dataset.size());
    }
    writer.flush();
    write_shard_index(temporary, index);
  });
  if (options.verify) ShardDataset(folder).verify();
}

}  // namespace switchyard
