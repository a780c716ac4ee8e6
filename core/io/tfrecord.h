#pragma once
// TFRecord framing, as TensorFlow's io/record_writer: length (u64), masked CRC-32C of the length
// (u32), bytes, masked CRC-32C of the bytes (u32); little-endian.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace switchyard {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): crc32c("123456789") == 0xe3069283.
uint32_t crc32c(std::string_view bytes);

/// One framed record.
std::string to_tfrecord(std::string_view data);

/// Visits the records in order until `visit` returns false. Returns the number of bytes of the
/// accepted records; a torn or damaged one ends the walk like a refused one.
size_t walk_tfrecords(std::string_view file, const std::function<bool(std::string_view)>& visit);

}  // namespace switchyard
