#pragma once
// The .npz format of NumPy: a zip archive of .npy files.

#include "core/io/safetensors.h"

namespace switchyard {

/// Stored, not compressed; atomic (see write_atomic). Errors: a type that .npy cannot hold; 4 GiB
/// or more, which would need zip64.
void write_npz(const std::filesystem::path& path, const NamedTensors& arrays);

}  // namespace switchyard
