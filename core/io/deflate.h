#pragma once
// Deflated data (RFC 1951), through zlib.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace switchyard {

/// What stands around them: nothing (zip archives), zlib's header and sum (RFC 1950, PNG), gzip's
/// (RFC 1952).
enum class DeflateFormat { Raw, Zlib, Gzip };

/// Errors at `where`: damaged, cut short, followed by other bytes, more than `limit` bytes
/// unpacked.
std::vector<std::byte> inflate_bytes(std::span<const std::byte> in, DeflateFormat format,
                                     size_t limit, const std::string& where);

/// Errors at `where`: 1 GiB or more.
std::vector<std::byte> deflate_bytes(std::span<const std::byte> in, DeflateFormat format,
                                     const std::string& where);

}  // namespace switchyard
