#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace switchyard {

/// The arrays of NumPy's .npz by name, stored or compressed (numpy.savez, savez_compressed). Any
/// file may be hostile. Errors: see ZipFile and read_npy; a member that is no array, a compressed
/// array over 1 GiB.
std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path);

}  // namespace switchyard
