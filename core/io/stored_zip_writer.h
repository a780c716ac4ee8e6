#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace switchyard {

/// Writes stored members one after the other; equal members give equal bytes (no times). Archives
/// and members of 4 GiB or 65,535 members make it a zip64 archive (PKWARE APPNOTE 4.3.14, 4.5.3).
class StoredZipWriter {
 public:
  /// `out` must outlive the writer. `zip64_from`: the first number that goes to a zip64 field,
  /// lower than the format's own in tests.
  explicit StoredZipWriter(std::ostream& out, uint64_t zip64_from = 0xffffffff);
  /// The data, `head` before `body`, begin at a multiple of 64 bytes, as in PyTorch.
  void add(const std::string& name, std::span<const std::byte> head,
           std::span<const std::byte> body = {});
  /// The directory; nothing may be added afterwards.
  void finish();

 private:
  struct Entry {
    std::string name;
    uint32_t crc;
    uint64_t size, header;
  };
  void write(std::string_view bytes);
  void write(std::span<const std::byte> bytes);
  /// What the 32-bit field holds.
  uint32_t field(uint64_t number) const;
  void write_local(const Entry& entry);
  void add_to_directory(const Entry& entry);
  /// Behind a directory of `size` bytes at `begin`, where one of its numbers needs it.
  void write_zip64_end(uint64_t begin, uint64_t size);

  std::ostream& out_;
  uint64_t zip64_from_;
  std::string directory_;
  uint64_t position_ = 0;
  uint64_t count_ = 0;
};

}  // namespace switchyard
