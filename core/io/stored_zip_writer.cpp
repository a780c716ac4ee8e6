#include "core/io/stored_zip_writer.h"

#include <zlib.h>

#include <ostream>

#include "core/base/error.h"

namespace switchyard {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kEnd = 0x06054b50;
constexpr uint64_t kLimit = 0xffffffff;  // behind it numbers would have to be zip64
constexpr uint64_t kAlignment = 64;

template <class Number>
void put(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The fields that both headers share, from version to lengths.
void put_shared(std::string& out, uint32_t crc, uint32_t size, uint16_t name, uint16_t extra) {
  constexpr uint16_t kVersion = 20, kFirstOf1980 = 0x21;
  put<uint16_t>(out, kVersion);
  put<uint16_t>(out, 0);  // flags
  put<uint16_t>(out, 0);  // stored
  put<uint16_t>(out, 0);  // midnight
  put<uint16_t>(out, kFirstOf1980);
  put(out, crc);
  put(out, size);
  put(out, size);
  put(out, name);
  put(out, extra);
}

}  // namespace

StoredZipWriter::StoredZipWriter(std::ostream& out, std::string where)
    : out_(out), where_(std::move(where)) {}

void StoredZipWriter::write(std::string_view bytes) {
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  position_ += bytes.size();
}

void StoredZipWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  constexpr uint64_t kLocalSize = 30, kExtraSize = 4;
  const uint64_t unpadded = position_ + kLocalSize + name.size() + kExtraSize;
  const uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  const uint64_t end = unpadded + padding + bytes.size();
  ++count_;
  check(end < kLimit && count_ < 0xffff, where_, "is too large for a .pth: got ", end, " bytes in ",
        count_, " members, expected less than 4 GiB and 65535; valid: .safetensors");
  const auto crc = static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  const auto size = static_cast<uint32_t>(bytes.size());
  const auto name_length = static_cast<uint16_t>(name.size());
  std::string& entry = directory_;
  put(entry, kDirectoryEntry);
  put<uint16_t>(entry, 20);  // version made by
  put_shared(entry, crc, size, name_length, 0);
  entry.append(10, '\0');  // comment, disk, attributes
  put(entry, static_cast<uint32_t>(position_));
  entry += name;

  std::string header;
  put(header, kLocalHeader);
  put_shared(header, crc, size, name_length, static_cast<uint16_t>(kExtraSize + padding));
  header += name + "FB";  // the field that PyTorch pads with
  put(header, static_cast<uint16_t>(padding));
  header.append(padding, 'Z');
  write(header);
  write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void StoredZipWriter::finish() {
  const uint64_t begin = position_;
  check(begin + directory_.size() < kLimit, where_, "is too large for a .pth; valid: .safetensors");
  write(directory_);
  std::string end;
  put(end, kEnd);
  put<uint32_t>(end, 0);  // disks
  put(end, static_cast<uint16_t>(count_));
  put(end, static_cast<uint16_t>(count_));
  put(end, static_cast<uint32_t>(directory_.size()));
  put(end, static_cast<uint32_t>(begin));
  put<uint16_t>(end, 0);  // comment
  write(end);
}

}  // namespace switchyard
