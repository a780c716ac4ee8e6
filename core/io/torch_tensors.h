#pragma once
// From nodes of a pickle to tensors over the storages of a .pth; not for other users.

#include <ATen/core/Tensor.h>

#include <map>

#include "core/io/pickle.h"
#include "core/io/zip_file.h"

namespace switchyard {

/// Whether a .pth may name this global: what tensors, parameters and plain containers are made of.
bool is_plain_global(const std::string& name);

class TorchTensors {
 public:
  /// `folder`: of data.pkl inside the archive.
  TorchTensors(const ZipFile& zip, std::string folder);
  /// Whether make() may be tried: a call that rebuilds a tensor or a parameter.
  static bool is_tensor(const PickleNode& node);
  /// `where`: file and name of the tensor. Errors: no tensor; see read_torch.
  at::Tensor make(const PickleNode& node, const std::string& where);

 private:
  /// The whole storage that `node` is the id of, [elements], mapped.
  const at::Tensor& storage(const PickleNode& node, const std::string& where);
  at::Tensor map_storage(const std::string& member, at::ScalarType dtype, int64_t elements,
                         const std::string& where) const;
  void spend(uint64_t bytes, const std::string& where);

  const ZipFile& zip_;
  std::string folder_;
  std::map<std::string, at::Tensor> storages_;
  uint64_t budget_;
};

}  // namespace switchyard
