#include "core/io/zip_file.h"

#include "core/io/file.h"
#include "tests/core/io/torch_support.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string archive(const Members& members, uint64_t zip64_from = 0xffffffff) {
  std::ostringstream out;
  StoredZipWriter zip(out, zip64_from);
  for (const auto& [name, bytes] : members) zip.add(name, std::as_bytes(std::span(bytes)));
  zip.finish();
  return out.str();
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Message for the archive `bytes`; every member is read.
std::string error_for(const std::string& bytes) {
  TempDir dir;
  write_text(dir / "a.pth", bytes);
  const auto message = error_of([&] {
    const auto zip = ZipFile::open(dir / "a.pth");
    for (const auto& name : zip.names()) zip.get(name);
  });
  CHECK(holds(message, "a.pth"));
  return message;
}

template <class Number>
std::string patched(std::string bytes, size_t at, Number value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

// One member "m" of 4 bytes: header at 0, data at 64; then the directory and its end.
const std::string kOne = archive({{"m", "data"}});
constexpr size_t kDirectory = 68, kEnd = kDirectory + 46 + 1;

/// kOne with its directory as zip64 keeps it: every number behind the marker 0xffffffff.
std::string zip64() {
  const auto all = uint32_t{0xffffffff};
  std::string bytes = kOne.substr(0, kEnd);
  for (const size_t at : {20, 24, 42}) bytes = patched(bytes, kDirectory + at, all);
  bytes = patched(bytes, kDirectory + 30, uint16_t{28});
  bytes += le(uint16_t{1}) + le(uint16_t{24}) + le(uint64_t{4}) + le(uint64_t{4}) + le(uint64_t{0});
  const auto end64 = uint64_t{bytes.size()};
  bytes += le(uint32_t{0x06064b50}) + le(uint64_t{44}) + std::string(12, '\0');
  bytes += le(uint64_t{1}) + le(uint64_t{1}) + le(uint64_t{end64 - kDirectory});
  bytes += le(uint64_t{kDirectory});
  bytes += le(uint32_t{0x07064b50}) + le(uint32_t{0}) + le(end64) + le(uint32_t{1});
  return bytes + le(uint32_t{0x06054b50}) + std::string(4, '\0') + le(uint16_t{0xffff}) +
         le(uint16_t{0xffff}) + le(all) + le(all) + le(uint16_t{0});
}

}  // namespace

TEST_CASE("stored members are read back, aligned to 64 bytes", "[io][zip]") {
  TempDir dir;
  write_text(dir / "a.pth", archive({{"a/x", "12345"}, {"a/empty", ""}, {"b", "6"}}));
  const auto zip = ZipFile::open(dir / "a.pth");
  CHECK(zip.names() == std::vector<std::string>{"a/x", "a/empty", "b"});
  CHECK(text_of(zip.get("a/x")) == "12345");
  CHECK(text_of(zip.get("a/empty")).empty());
  CHECK(text_of(zip.get("b")) == "6");
  for (const auto& name : zip.names())
    CHECK((zip.get(name).data() - zip.file()->bytes().data()) % 64 == 0);
  CHECK(holds(error_of([&] { zip.get("c"); }), "member is missing: expected 'c'"));
}

TEST_CASE("a zip64 directory is read", "[io][zip]") {
  TempDir dir;
  write_text(dir / "a.pth", zip64());
  CHECK(text_of(ZipFile::open(dir / "a.pth").get("m")) == "data");
}

TEST_CASE("what needs zip64 is written as zip64 and read back", "[io][zip]") {
  TempDir dir;
  const Members members = {{"a", "12345"}, {"b", "6"}, {"c", std::string(300, 'x')}};
  // Everything; sizes and places behind the first member; the directory alone.
  for (const uint64_t from : {0, 70, 420}) {
    INFO("zip64 from " << from);
    write_text(dir / "a.zip", archive(members, from));
    const auto zip = ZipFile::open(dir / "a.zip");
    CHECK(zip.names() == std::vector<std::string>{"a", "b", "c"});
    for (const auto& [name, bytes] : members) CHECK(text_of(zip.get(name)) == bytes);
    CHECK((zip.get("c").data() - zip.file()->bytes().data()) % 64 == 0);
  }
}

TEST_CASE("an archive may have more members than 16 bits count", "[io][zip]") {
  TempDir dir;
  Members members;
  for (int i = 0; i < 65536; ++i) members.emplace_back(std::to_string(i), "");
  write_text(dir / "a.zip", archive(members));
  CHECK(ZipFile::open(dir / "a.zip").names().size() == 65536);
}

TEST_CASE("hostile archives are refused", "[io][zip]") {
  CHECK(holds(error_for(""), "too short"));
  CHECK(holds(error_for("PK\x03\x04"), "too short"));
  CHECK(holds(error_for(kOne.substr(0, kOne.size() - 1)), "no zip directory"));
  CHECK(holds(error_for(kOne + "comment"), "no zip directory"));
  // Directory
  CHECK(holds(error_for(patched(kOne, kEnd + 16, uint32_t{0xfffffffe})), "damaged zip directory"));
  CHECK(holds(error_for(patched(kOne, kEnd + 12, uint32_t{1})), "damaged zip directory"));
  CHECK(holds(error_for(patched(kOne, kEnd + 10, uint16_t{2})), "cut off"));
  CHECK(holds(error_for(patched(kOne, kEnd + 10, uint16_t{0})), "behind its 0 entries"));
  CHECK(holds(error_for(patched(kOne, kDirectory, 7)), "damaged zip directory entry at byte 68"));
  CHECK(holds(error_for(patched(kOne, kDirectory + 28, uint16_t{60000})), "cut off"));
  // Members
  CHECK(holds(error_for(patched(kOne, kDirectory + 8, uint16_t{1})), "encrypted"));
  CHECK(holds(error_for(patched(kOne, kDirectory + 10, uint16_t{8})), "another method"));
  CHECK(holds(error_for(patched(kOne, kDirectory + 10, uint16_t{9})), "got method 9 and 4 of 4"));
  CHECK(holds(error_for(patched(kOne, kDirectory + 20, uint32_t{3})), "got method 0 and 3 of 4"));
  CHECK(
      holds(error_for(patched(patched(kOne, kDirectory + 20, 1u << 31), kDirectory + 24, 1u << 31)),
            "another size"));
  CHECK(holds(error_for(patched(kOne, kDirectory + 42, uint32_t{60})), "no header at byte 60"));
  CHECK(holds(error_for(patched(kOne, kDirectory + 42, uint32_t{5000})), "behind its end"));
  CHECK(holds(error_for(patched(kOne, 30, 'n')), "another name"));
  CHECK(holds(error_for(patched(kOne, 8, uint16_t{8})), "another method"));
  CHECK(holds(error_for(patched(kOne, 64, 'D')), "checksum"));
  // Sizes behind the data are allowed to be left out, as PyTorch does, but not to point too far.
  const auto behind = patched(patched(patched(kOne, 6, uint16_t{8}), 18, 0), 22, 0);
  CHECK(holds(error_for(patched(patched(behind, kDirectory + 20, 5), kDirectory + 24, 5)),
              "cut off"));
}

TEST_CASE("members named twice or lying over each other are refused", "[io][zip]") {
  CHECK(holds(error_for(archive({{"m", "1"}, {"m", "2"}})), "there twice: 'm'"));
  // The second directory entry points at the first member.
  const std::string two = archive({{"m", "1"}, {"n", "1"}});
  const size_t second = two.size() - 22 - 47;
  const auto overlapping = patched(patched(two, second + 42, uint32_t{0}), second + 46, 'm');
  CHECK(holds(error_for(overlapping), "there twice"));
  // The first member's data run into the second one's header.
  auto longer = patched(patched(patched(two, 6, uint16_t{8}), 18, 0), 22, 0);
  const size_t first = second - 47;
  longer = patched(patched(longer, first + 20, 40), first + 24, 40);
  CHECK(holds(error_for(longer), "overlaps the member before it"));
}

TEST_CASE("damaged zip64 directories are refused", "[io][zip]") {
  const std::string good = zip64();
  const size_t end64 = good.size() - 22 - 20 - 56, locator = end64 + 56;
  CHECK(holds(error_for(patched(good, locator + 8, ~uint64_t{0})), "damaged zip64 locator"));
  CHECK(holds(error_for(patched(good, end64, 0)), "damaged zip64 directory"));
  CHECK(holds(error_for(patched(good, end64 + 48, ~uint64_t{0})), "damaged zip directory"));
  CHECK(holds(error_for(patched(good, end64 + 32, ~uint64_t{0})), "cut off"));
  CHECK(holds(error_for(patched(good, end64 - 24, ~uint64_t{0})), "neither stored nor deflated"));
  CHECK(holds(error_for(patched(good, end64 - 8, ~uint64_t{0})), "behind its end"));
  CHECK(holds(error_for(patched(good, end64 - 26, uint16_t{8})), "zip64 field"));
}
