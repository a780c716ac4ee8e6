#include "datasets/point_cloud/scan/zip_archive.h"

#include <zip.h>

#include <cstring>

#include "core/io/file.h"
#include "tests/support/fuzz.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;
using scan::ZipArchive;

namespace {

const std::string kText = [] {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "v " + std::to_string(i) + " 0 1\n";
  return text;
}();

void write_zip(const std::filesystem::path& path) {
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(zip != nullptr);
  zip_file_add(zip, "Chair/chair.obj", zip_source_buffer(zip, kText.data(), kText.size(), 0), 0);
  REQUIRE(zip_close(zip) == 0);
}

/// Puts `value` at `offset` behind every header that starts with `magic`.
void patch(const std::filesystem::path& path, const std::string& magic, size_t offset,
           uint32_t value) {
  std::string bytes = read_text(path);
  for (size_t at = bytes.find(magic); at != std::string::npos; at = bytes.find(magic, at + 1))
    std::memcpy(bytes.data() + at + offset, &value, sizeof value);
  write_text(path, bytes);
}

}  // namespace

TEST_CASE("zip entries are found by any letter case", "[scan][zip]") {
  TempDir dir;
  write_zip(dir / "a.zip");
  const ZipArchive zip(dir / "a.zip");
  CHECK(zip.read("chair/CHAIR.OBJ") == kText);
  CHECK_FALSE(zip.read("table.obj"));
}

TEST_CASE("hostile zip archives are refused by name", "[scan][zip]") {
  TempDir dir;
  CHECK(error_of([&] { ZipArchive(dir / "none.zip"); }).find("none.zip") != std::string::npos);
  write_text(dir / "text.zip", "not a zip archive");
  CHECK(error_of([&] { ZipArchive(dir / "text.zip"); }).find("not a readable zip") !=
        std::string::npos);
  write_zip(dir / "bomb.zip");
  patch(dir / "bomb.zip", "PK\x01\x02", 24, 0x7fffffff);  // unpacked size, central directory
  patch(dir / "bomb.zip", "PK\x03\x04", 22, 0x7fffffff);  // and local header
  CHECK(error_of([&] { ZipArchive(dir / "bomb.zip").read("chair/chair.obj"); }).find("too large") !=
        std::string::npos);
}

TEST_CASE("damaged zip archives never do more than throw an Error", "[scan][zip][fuzz]") {
  TempDir dir;
  write_zip(dir / "a.zip");
  CHECK(refusals(dir / "a.zip", [&] { ZipArchive(dir / "a.zip").read("chair/chair.obj"); }) > 200);
}
