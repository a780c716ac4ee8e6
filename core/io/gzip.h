#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace switchyard {

/// The decompressed contents of a gzip file (RFC 1952). Errors: missing, no gzip file, damaged or
/// cut short, more than `limit` bytes.
std::vector<std::byte> read_gzip(const std::filesystem::path& path, size_t limit = size_t{1} << 32);

/// For tests and converters: writes atomically.
void write_gzip(const std::filesystem::path& path, const std::vector<std::byte>& bytes);

}  // namespace switchyard
