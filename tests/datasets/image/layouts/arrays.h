#pragma once
// Writes CIFAR-10 batches and IDX files, byte by byte as their pages describe them.

#include <fstream>
#include <span>

#include "core/io/gzip.h"
#include "tests/datasets/support.h"

namespace switchyard::test {

inline std::string bytes_of(const at::Tensor& values) {
  const at::Tensor flat = values.contiguous();
  return {reinterpret_cast<const char*>(flat.const_data_ptr<uint8_t>()), flat.nbytes()};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

inline void write_packed(const std::filesystem::path& file, const std::string& bytes) {
  const auto span = std::as_bytes(std::span(bytes));
  write_gzip(file, {span.begin(), span.end()});
}

/// Records of label and pixels, [N] and [N,3,32,32] u8.
inline std::string cifar_batch(const at::Tensor& label_N, const at::Tensor& image_NCHW) {
  std::string out;
  for (int64_t i = 0; i < label_N.size(0); ++i)
    out += bytes_of(label_N.narrow(0, i, 1)) + bytes_of(image_NCHW[i]);
  return out;
}

inline std::string idx_bytes(const at::Tensor& values) {
  std::string out = {0, 0, 8, static_cast<char>(values.dim())};
  for (const int64_t n : values.sizes())
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
  return out + bytes_of(values);
}

}  // namespace switchyard::test
