#include "core/io/stored_zip_writer.h"

#include <zlib.h>

#include <algorithm>
#include <ostream>

namespace switchyard {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kEnd = 0x06054b50,
                   kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint32_t kSee64 = 0xffffffff;
constexpr uint16_t kVersion = 20, kVersion64 = 45, kZip64Field = 1;
constexpr uint64_t kAlignment = 64, kManyMembers = 0xffff;

template <class Number>
void put(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The fields that both headers share, from version to lengths.
void put_shared(std::string& out, bool zip64, uint32_t crc, uint32_t size, size_t name,
                size_t extra) {
  constexpr uint16_t kFirstOf1980 = 0x21;
  put(out, zip64 ? kVersion64 : kVersion);
  put<uint16_t>(out, 0);  // flags
  put<uint16_t>(out, 0);  // stored
  put<uint16_t>(out, 0);  // midnight
  put<uint16_t>(out, kFirstOf1980);
  put(out, crc);
  put(out, size);
  put(out, size);
  put(out, static_cast<uint16_t>(name));
  put(out, static_cast<uint16_t>(extra));
}

/// The zip64 extra field of those numbers that need it; empty for none.
std::string zip64_field(std::initializer_list<uint64_t> numbers) {
  std::string out;
  if (numbers.size() == 0) return out;
  put(out, kZip64Field);
  put(out, static_cast<uint16_t>(numbers.size() * sizeof(uint64_t)));
  for (const uint64_t number : numbers) put(out, number);
  return out;
}

uint32_t crc_of(uint32_t before, std::span<const std::byte> bytes) {
  if (bytes.empty()) return before;  // zlib takes no address as a new start
  return static_cast<uint32_t>(
      ::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

StoredZipWriter::StoredZipWriter(std::ostream& out, uint64_t zip64_from)
    : out_(out), zip64_from_(zip64_from) {}

void StoredZipWriter::write(std::string_view bytes) {
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  position_ += bytes.size();
}

void StoredZipWriter::write(std::span<const std::byte> bytes) {
  write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

uint32_t StoredZipWriter::field(uint64_t number) const {
  return number < zip64_from_ ? static_cast<uint32_t>(number) : kSee64;
}

void StoredZipWriter::write_local(const Entry& entry) {
  constexpr uint64_t kLocalSize = 30, kPaddingHeader = 4;
  const bool large = entry.size >= zip64_from_;
  std::string extra = large ? zip64_field({entry.size, entry.size}) : "";
  const uint64_t end = position_ + kLocalSize + entry.name.size() + extra.size() + kPaddingHeader;
  const uint64_t padding = (kAlignment - end % kAlignment) % kAlignment;
  extra += "FB";  // the field that PyTorch pads with
  put(extra, static_cast<uint16_t>(padding));
  extra.append(padding, 'Z');

  std::string header;
  put(header, kLocalHeader);
  put_shared(header, large, entry.crc, field(entry.size), entry.name.size(), extra.size());
  write(header + entry.name + extra);
}

void StoredZipWriter::add_to_directory(const Entry& entry) {
  const bool large = entry.size >= zip64_from_, far = entry.header >= zip64_from_;
  const std::string extra = large && far ? zip64_field({entry.size, entry.size, entry.header})
                            : large      ? zip64_field({entry.size, entry.size})
                            : far        ? zip64_field({entry.header})
                                         : "";
  put(directory_, kDirectoryEntry);
  put(directory_, large || far ? kVersion64 : kVersion);  // made by
  put_shared(directory_, large || far, entry.crc, field(entry.size), entry.name.size(),
             extra.size());
  directory_.append(10, '\0');  // comment, disk, attributes
  put(directory_, field(entry.header));
  directory_ += entry.name + extra;
}

void StoredZipWriter::add(const std::string& name, std::span<const std::byte> head,
                          std::span<const std::byte> body) {
  const Entry entry{name, crc_of(crc_of(0, head), body), head.size() + body.size(), position_};
  write_local(entry);
  write(head);
  write(body);
  add_to_directory(entry);
  ++count_;
}

void StoredZipWriter::write_zip64_end(uint64_t begin, uint64_t size) {
  constexpr uint64_t kBehindSize = 44;
  const uint64_t here = position_;
  std::string end;
  put(end, kEnd64);
  put(end, kBehindSize);
  put(end, kVersion64);
  put(end, kVersion64);
  put<uint64_t>(end, 0);  // disks
  put(end, count_);
  put(end, count_);
  put(end, size);
  put(end, begin);
  put(end, kLocator64);
  put<uint32_t>(end, 0);  // disk
  put(end, here);
  put<uint32_t>(end, 1);  // disks
  write(end);
}

void StoredZipWriter::finish() {
  const uint64_t begin = position_, size = directory_.size();
  write(directory_);
  if (count_ >= kManyMembers || begin >= zip64_from_ || size >= zip64_from_)
    write_zip64_end(begin, size);
  const auto count = static_cast<uint16_t>(std::min(count_, kManyMembers));
  std::string end;
  put(end, kEnd);
  put<uint32_t>(end, 0);  // disks
  put(end, count);
  put(end, count);
  put(end, field(size));
  put(end, field(begin));
  put<uint16_t>(end, 0);  // comment
  write(end);
}

}  // namespace switchyard
