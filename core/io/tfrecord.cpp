#include "core/io/tfrecord.h"

#include <array>
#include <bit>
#include <cstring>

namespace switchyard {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie");

constexpr size_t kHead = sizeof(uint64_t) + sizeof(uint32_t), kTail = sizeof(uint32_t);

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
    table[byte] = crc;
  }
  return table;
}

/// Keeps a CRC that is stored among the data from being a CRC of itself.
uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

template <class T>
std::string bytes_of(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

template <class T>
T value_of(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 255];
  return ~crc;
}

std::string to_tfrecord(std::string_view data) {
  const std::string length = bytes_of<uint64_t>(data.size());
  return length + bytes_of(masked_crc(length)) + std::string(data) + bytes_of(masked_crc(data));
}

size_t walk_tfrecords(std::string_view file, const std::function<bool(std::string_view)>& visit) {
  size_t at = 0;
  while (file.size() - at >= kHead + kTail) {
    const std::string_view rest = file.substr(at), length = rest.substr(0, sizeof(uint64_t));
    const auto size = value_of<uint64_t>(length);
    const bool whole = value_of<uint32_t>(rest.substr(length.size())) == masked_crc(length) &&
                       size <= rest.size() - kHead - kTail;
    if (!whole) break;
    const std::string_view data = rest.substr(kHead, size);
    if (value_of<uint32_t>(rest.substr(kHead + size)) != masked_crc(data) || !visit(data)) break;
    at += kHead + size + kTail;
  }
  return at;
}

}  // namespace switchyard
