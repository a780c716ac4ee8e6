#pragma once
// A cursor over bytes of a file that nobody trusts.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace switchyard {

class ByteReader {
 public:
  /// `where`: file or file:member for messages, which give places relative to `bytes`.
  ByteReader(std::span<const std::byte> bytes, std::string where)
      : bytes_(bytes), where_(std::move(where)) {}

  /// A little-endian number. Errors: the end is nearer.
  template <class Number>
  Number number() {
    Number out;
    std::memcpy(&out, take(sizeof out).data(), sizeof out);
    return out;
  }
  /// A number of `bytes` bytes, the highest first; at most 4. Errors: the end is nearer.
  uint32_t big_endian(int bytes) {
    uint32_t out = 0;
    for (int i = 0; i < bytes; ++i) out = out << 8 | number<uint8_t>();
    return out;
  }
  /// The next `count` bytes. Errors: the end is nearer.
  std::string_view take(uint64_t count) {
    check(count <= left(), where_, "is cut off at byte ", at_, ": got ", left(),
          " bytes, expected ", count);
    at_ += static_cast<size_t>(count);
    return text().substr(at_ - static_cast<size_t>(count), static_cast<size_t>(count));
  }
  /// Up to the next line feed, which is skipped. Errors: there is none.
  std::string_view line() {
    const size_t end = text().find('\n', at_);
    check(end != std::string_view::npos, where_, "is cut off at byte ", at_,
          ": expected a line feed");
    const std::string_view out = take(end - at_);
    take(1);
    return out;
  }
  /// Errors: behind the end.
  void seek(uint64_t position) {
    check(position <= bytes_.size(), where_, "points behind its end: got byte ", position,
          ", expected at most ", bytes_.size());
    at_ = static_cast<size_t>(position);
  }

  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  const std::string& where() const { return where_; }

 private:
  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

  std::span<const std::byte> bytes_;
  std::string where_;
  size_t at_ = 0;
};

}  // namespace switchyard
