#pragma once
// Zip archives (PKWARE APPNOTE 6.3) whose members are stored, as PyTorch writes them so that
// tensors can be mapped, or deflated, as NumPy's savez_compressed does. That subset is small enough
// to read ourselves; libzip stays with the simulator, which a headless build leaves out.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace switchyard {

class ByteReader;
class MappedFile;

class ZipFile {
 public:
  /// Reads the central directory (zip64 too). Any file may be hostile. Errors: no zip, a comment
  /// behind the archive, members that are compressed otherwise, encrypted, named twice,
  /// overlapping, or of another name, method or size in their own header than in the directory.
  static ZipFile open(const std::filesystem::path& path);

  /// In the order of the directory.
  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const { return members_.count(name) > 0; }
  /// Errors: no such member.
  bool is_stored(const std::string& name) const;
  /// Bytes of a stored member; they live as long as file(). Errors: no such member, a deflated one,
  /// wrong checksum.
  std::span<const std::byte> get(const std::string& name) const;
  /// A copy of a member's content, inflated where it is deflated. Errors: no such member, damaged,
  /// wrong checksum, more than `limit` bytes.
  std::vector<std::byte> read(const std::string& name, size_t limit) const;
  const std::shared_ptr<const MappedFile>& file() const { return file_; }

 private:
  struct Member {
    uint64_t header, begin, packed, size;  // `packed` bytes in the file
    uint32_t crc;
    uint16_t method;
  };
  struct Directory {
    uint64_t begin, size, end, count;
  };
  Directory find_directory() const;
  /// Takes the numbers of the zip64 directory where there is one before the end record.
  static void replace_by_zip64(ByteReader& in, uint64_t end_at, Directory& found);
  void read_directory(const Directory& directory);
  Member read_member(ByteReader& entry, const Directory& directory, std::string& name) const;
  /// Fills `begin` from the member's own header, which must say the same as the directory.
  Member find_data(const std::string& name, Member member, const Directory& directory) const;
  void check_overlaps() const;
  const Member& find(const std::string& name) const;
  std::span<const std::byte> packed(const Member& member) const;
  void check_sum(const std::string& name, std::span<const std::byte> content) const;

  std::shared_ptr<const MappedFile> file_;
  std::vector<std::string> names_;
  std::map<std::string, Member> members_;
};

}  // namespace switchyard
