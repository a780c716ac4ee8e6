#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace switchyard {

/// Writes stored members one after the other; equal members give equal bytes (no times). Errors: an
/// archive of 4 GiB or of 65,535 members, which would need zip64.
class StoredZipWriter {
 public:
  /// `where`: the file for messages. `out` must outlive the writer.
  StoredZipWriter(std::ostream& out, std::string where);
  /// The data begin at a multiple of 64 bytes, as in PyTorch.
  void add(const std::string& name, std::span<const std::byte> bytes);
  /// The directory; nothing may be added afterwards.
  void finish();

 private:
  void write(std::string_view bytes);

  std::ostream& out_;
  std::string where_;
  std::string directory_;
  uint64_t position_ = 0;
  uint64_t count_ = 0;
};

}  // namespace switchyard
