#pragma once
// The .npz format of NumPy: a zip archive of .npy files.

#include "core/io/safetensors.h"

namespace switchyard {

/// Stored, not compressed; zip64 from 4 GiB on; atomic (see write_atomic). Errors: a type that .npy
/// cannot hold.
void write_npz(const std::filesystem::path& path, const NamedTensors& arrays);

}  // namespace switchyard
