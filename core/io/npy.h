#pragma once
// The .npy format of NumPy, versions 1 to 3: plain arrays of numbers. Any file may be hostile.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// A private, contiguous copy in C order, whatever the order in the file. Types: float16, 32, 64;
/// int8 to int64; uint8; bool; uint16 becomes int32 and uint32 int64. Errors: not an .npy file,
/// damaged header, big-endian or unsupported type, a size that does not fit.
at::Tensor read_npy(const std::filesystem::path& path);

/// The same from the content of a file.
at::Tensor parse_npy(std::string_view file, const std::string& where);

/// The same from the parts of a header: `descr` as "<f8" or "|u1", elements in `data`, first axis
/// fastest where `fortran`. Errors: as above.
at::Tensor npy_array(const std::string& descr, std::vector<int64_t> shape, bool fortran,
                     std::string_view data, const std::string& where);

/// What stands before the elements of a file of version 1 in C order.
std::string npy_header(const at::Tensor& tensor, const std::string& where);
/// Version 1, C order, atomic (see write_atomic). Errors: a type that the format cannot hold.
void write_npy(const std::filesystem::path& path, const at::Tensor& tensor);

}  // namespace switchyard
