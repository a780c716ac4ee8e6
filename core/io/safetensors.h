#pragma once
// The safetensors format (Hugging Face): u64 header length, JSON header, raw little-endian tensors.
// Any file may be hostile: every length, offset, type and shape is checked before it is used.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace switchyard {

class MappedFile;
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// An open file. Tensors alias the mapping (which lives as long as any of them): never write to
/// one.
class SafeTensors {
 public:
  /// Errors name the file, the tensor and what is wrong.
  static SafeTensors open(const std::filesystem::path& path);

  /// Names in file order (order of data).
  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const { return entries_.count(name) > 0; }
  /// Errors: no such tensor (with the nearest names).
  at::Tensor get(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Value of a metadata key; Error if absent.
  const std::string& metadata(const std::string& key) const;
  const std::filesystem::path& path() const;

 private:
  struct Entry {
    at::ScalarType dtype;
    std::vector<int64_t> shape;
    size_t begin, end;  // in the file
  };
  void add_entry(const std::string& name, const nlohmann::ordered_json& item, size_t data_begin);
  /// Fills names_; the data must follow each other without gap or overlap up to the end of the
  /// file.
  void order_names(size_t data_begin);

  std::shared_ptr<const MappedFile> file_;
  std::vector<std::string> names_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// Atomic (see write_atomic). Tensors may be on any device, strided or aliases; names must be
/// unique.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace switchyard
