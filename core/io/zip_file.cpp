#include "core/io/zip_file.h"

#include <zlib.h>

#include <algorithm>

#include "core/io/byte_reader.h"
#include "core/io/deflate.h"
#include "core/io/file.h"
#include "core/io/printable.h"

namespace switchyard {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kEnd = 0x06054b50,
                   kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint64_t kEndSize = 22, kLocator64Size = 20, kEnd64Size = 56;
constexpr uint16_t kEncrypted = 1, kSizesBehind = 8;  // flags
constexpr uint16_t kStored = 0, kDeflated = 8;        // methods
constexpr uint32_t kSee64 = 0xffffffff;               // the number is in the zip64 field

uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// Fixed fields that a directory entry and a local header share.
struct Header {
  uint16_t flags, method;
  uint32_t crc;
  uint64_t packed, size;
  uint16_t name_length, extra_length;

  /// Behind signature and versions.
  explicit Header(ByteReader& in) {
    flags = in.number<uint16_t>();
    method = in.number<uint16_t>();
    in.take(4);  // time
    crc = in.number<uint32_t>();
    packed = in.number<uint32_t>();
    size = in.number<uint32_t>();
    name_length = in.number<uint16_t>();
    extra_length = in.number<uint16_t>();
  }
};

/// Replaces those of `fields` that say so by the numbers of the zip64 extra field, in this order.
void read_zip64(std::string_view extra, const std::string& where,
                std::initializer_list<uint64_t*> fields) {
  ByteReader in({reinterpret_cast<const std::byte*>(extra.data()), extra.size()},
                where + " (extra field)");
  while (in.left() >= 4) {
    const auto id = in.number<uint16_t>(), length = in.number<uint16_t>();
    const std::string_view data = in.take(length);
    if (id != 1) continue;
    ByteReader values({reinterpret_cast<const std::byte*>(data.data()), data.size()},
                      where + " (zip64 field)");
    for (uint64_t* field : fields) {
      if (*field == kSee64) *field = values.number<uint64_t>();
    }
    return;
  }
}

}  // namespace

ZipFile ZipFile::open(const std::filesystem::path& path) {
  ZipFile zip;
  zip.file_ = MappedFile::open(path);
  zip.read_directory(zip.find_directory());
  zip.check_overlaps();
  return zip;
}

ZipFile::Directory ZipFile::find_directory() const {
  const std::string where = file_->path().string();
  ByteReader in(file_->bytes(), where);
  check(in.left() >= kEndSize, where, "too short for a zip archive: got ", in.left(), " bytes");
  const uint64_t end_at = in.left() - kEndSize;
  in.seek(end_at);
  check(in.number<uint32_t>() == kEnd, where, "has no zip directory at its end (byte ", end_at,
        "): cut off, or followed by a comment");
  in.take(4);  // numbers of disks
  in.take(2);
  Directory found;
  found.count = in.number<uint16_t>();
  found.size = in.number<uint32_t>();
  found.begin = in.number<uint32_t>();
  found.end = end_at;
  if (end_at >= kLocator64Size) replace_by_zip64(in, end_at, found);
  check(found.begin <= found.end && found.size == found.end - found.begin, where,
        "damaged zip directory: got ", found.size, " bytes from byte ", found.begin,
        ", expected its end at byte ", found.end);
  return found;
}

void ZipFile::replace_by_zip64(ByteReader& in, uint64_t end_at, Directory& found) {
  in.seek(end_at - kLocator64Size);
  if (in.number<uint32_t>() != kLocator64) return;
  in.take(4);  // disk
  found.end = in.number<uint64_t>();
  check(found.end <= end_at && end_at - found.end == kLocator64Size + kEnd64Size, in.where(),
        "damaged zip64 locator: got byte ", found.end);
  in.seek(found.end);
  check(in.number<uint32_t>() == kEnd64, in.where(), "damaged zip64 directory at byte ", found.end);
  in.take(28);  // sizes, versions, disks, members on this disk
  found.count = in.number<uint64_t>();
  found.size = in.number<uint64_t>();
  found.begin = in.number<uint64_t>();
}

void ZipFile::read_directory(const Directory& directory) {
  const std::string where = file_->path().string();
  ByteReader in(file_->bytes().first(directory.end), where);
  in.seek(directory.begin);
  for (uint64_t i = 0; i < directory.count; ++i) {
    std::string name;
    const Member member = read_member(in, directory, name);
    check(members_.emplace(name, member).second, where, "member is there twice: ", printable(name));
    names_.push_back(std::move(name));
  }
  check(in.left() == 0, where, "damaged zip directory: got ", in.left(), " bytes behind its ",
        directory.count, " entries");
}

ZipFile::Member ZipFile::read_member(ByteReader& entry, const Directory& directory,
                                     std::string& name) const {
  const std::string& file = entry.where();
  const size_t at = entry.at();
  check(entry.number<uint32_t>() == kDirectoryEntry, file, "damaged zip directory entry at byte ",
        at);
  entry.take(4);  // versions
  Header central(entry);
  const auto comment = entry.number<uint16_t>();
  entry.take(8);  // disk, attributes
  uint64_t header = entry.number<uint32_t>();
  name = entry.take(central.name_length);
  const std::string where = file + ":" + printable(name);
  read_zip64(entry.take(central.extra_length), where, {&central.size, &central.packed, &header});
  entry.take(comment);
  check(!(central.flags & kEncrypted), where, "is encrypted");
  check(
      central.method == kDeflated || (central.method == kStored && central.packed == central.size),
      where, "is neither stored nor deflated: got method ", central.method, " and ", central.packed,
      " of ", central.size, " bytes");
  return find_data(name, {header, 0, central.packed, central.size, central.crc, central.method},
                   directory);
}

ZipFile::Member ZipFile::find_data(const std::string& name, Member member,
                                   const Directory& directory) const {
  const std::string where = file_->path().string() + ":" + printable(name);
  ByteReader in(file_->bytes().first(directory.begin), where);
  in.seek(member.header);
  check(in.number<uint32_t>() == kLocalHeader, where, "has no header at byte ", member.header);
  in.take(2);  // version
  Header local(in);
  check(in.take(local.name_length) == name, where, "has another name at byte ", member.header);
  read_zip64(in.take(local.extra_length), where, {&local.size, &local.packed});
  const bool behind = (local.flags & kSizesBehind) && local.size == 0 && local.packed == 0;
  const bool equal = local.size == member.size && local.packed == member.packed;
  check(local.method == member.method, where, "has another method at byte ", member.header,
        ": got ", local.method, ", expected ", member.method);
  check(behind || equal, where, "has another size at byte ", member.header, ": got ", local.size,
        ", expected ", member.size);
  member.begin = in.at();
  in.take(member.packed);
  return member;
}

void ZipFile::check_overlaps() const {
  std::vector<std::pair<Member, std::string>> sorted;
  for (const auto& [name, member] : members_) sorted.emplace_back(member, name);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first.header < b.first.header; });
  uint64_t end = 0;
  for (const auto& [member, name] : sorted) {
    check(member.header >= end, file_->path().string() + ":" + printable(name),
          "overlaps the member before it at byte ", member.header);
    end = member.begin + member.packed;
  }
}

const ZipFile::Member& ZipFile::find(const std::string& name) const {
  const auto found = members_.find(name);
  check(found != members_.end(), file_->path().string(), "member is missing: expected ",
        printable(name));
  return found->second;
}

bool ZipFile::is_stored(const std::string& name) const { return find(name).method == kStored; }

std::span<const std::byte> ZipFile::packed(const Member& member) const {
  return file_->bytes().subspan(member.begin, member.packed);
}

void ZipFile::check_sum(const std::string& name, std::span<const std::byte> content) const {
  const Member& member = find(name);
  check(content.size() == member.size && crc_of(content) == member.crc,
        file_->path().string() + ":" + printable(name),
        "is damaged: its checksum does not fit (bytes ", member.begin, " to ",
        member.begin + member.packed, ")");
}

std::span<const std::byte> ZipFile::get(const std::string& name) const {
  const Member& member = find(name);
  check(member.method == kStored, file_->path().string() + ":" + printable(name),
        "is compressed: expected a stored member; valid: a file as torch.save writes it");
  check_sum(name, packed(member));
  return packed(member);
}

std::vector<std::byte> ZipFile::read(const std::string& name, size_t limit) const {
  const Member& member = find(name);
  const std::string where = file_->path().string() + ":" + printable(name);
  check(member.size <= limit, where, "is too large: got ", member.size, " bytes, expected at most ",
        limit);
  const auto bytes = packed(member);
  auto content = member.method == kDeflated
                     ? inflate_bytes(bytes, DeflateFormat::Raw, member.size, where)
                     : std::vector<std::byte>(bytes.begin(), bytes.end());
  check_sum(name, content);
  return content;
}

}  // namespace switchyard
