#pragma once
// Files of named tensors, whatever their format.

#include "core/io/safetensors.h"

namespace switchyard {

/// All tensors of a safetensors file or, by its first bytes, of a PyTorch file (see read_torch;
/// `key` is for these). They alias a mapping of the file: never write to one. Errors: see the
/// formats; `key` with safetensors.
NamedTensors read_tensors(const std::filesystem::path& path, const std::string& key = "");

/// Writes by extension: .safetensors; .pth or .pt (see write_torch). Atomic. Errors: another
/// extension, `key` with safetensors, names that are not unique.
void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors,
                   const std::string& key = "");

}  // namespace switchyard
