#include "datasets/point_cloud/laser_tiles.h"

#include <cmath>
#include <cstring>

#include "core/config/yaml.h"
#include "core/io/file.h"
#include "core/io/gzip.h"
#include "tests/datasets/support.h"

using namespace switchyard;
using namespace switchyard::test;
namespace fs = std::filesystem;

namespace {

struct Record {
  float x, y, z;
  uint16_t raw;
  uint8_t common, intensity;
};
static_assert(sizeof(Record) == 16);

std::vector<std::byte> bytes_of(const std::vector<Record>& records) {
  std::vector<std::byte> out(records.size() * sizeof(Record));
  if (!out.empty()) std::memcpy(out.data(), records.data(), out.size());
  return out;
}

void write_tile(const fs::path& root, const std::string& uri, const std::vector<Record>& records) {
  fs::create_directories((root / uri).parent_path());
  write_gzip(root / (uri + ".pts16.gz"), bytes_of(records));
}

LaserTilesParams at_root(const fs::path& root) {
  LaserTilesParams params;
  params.root = root.string();
  params.class_map =
      parse_yaml("{classes: [ground, tree], map: {1: ground, 2: tree, 0: ignore}}", "test");
  return params;
}

std::string read_error(const fs::path& root) {
  return error_of([&] { LaserTiles(at_root(root)).get(0, {}); });
}

bool says(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("laser tiles: records, domains, splits and classes", "[datasets][laser_tiles]") {
  TempDir folder;
  write_tile(folder.path(), "city/b", {{1, 2, 3, 400, 1, 51}, {4, 5, 6, 500, 0, 255}});
  write_tile(folder.path(), "city/a", {{7, 8, 9, 1, 2, 0}});
  write_tile(folder.path(), "forest/c", {});
  LaserTilesParams params = at_root(folder.path());
  params.test = {"forest/*", "city/b"};
  const LaserTiles tiles(params);
  REQUIRE(tiles.size() == 3);
  CHECK(tiles.sample_info(0).uri == "city/a");
  CHECK(tiles.sample_info(0).split == "train");
  CHECK(tiles.sample_info(1).split == "test");
  CHECK(tiles.sample_info(2).domain == "forest");
  const Sample b = tiles.get(1, {});
  CHECK(b.tensors.at("coord").equal(at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).view({2, 3})));
  CHECK(b.tensors.at("segment").equal(at::tensor({int64_t{0}, int64_t{-1}})));
  CHECK(b.tensors.at("intensity")[0].item<float>() == Approx(.2));
  CHECK(tiles.get(0, {}).tensors.count("intensity") == 0);  // a survey without intensity
  CHECK(tiles.get(2, {}).tensors.at("coord").size(0) == 0);
  params.labels = "raw";
  params.class_map = parse_yaml("{classes: [x, y], map: {400: x, 500: y, 1: x}}", "test");
  const LaserTiles raw(params);
  CHECK(raw.get(1, {}).tensors.at("segment").equal(at::tensor({int64_t{0}, int64_t{1}})));
  CHECK(raw.info().hash != tiles.info().hash);
}

TEST_CASE("laser tiles: bad input is named", "[datasets][laser_tiles]") {
  TempDir folder;
  CHECK(says(error_of([&] { LaserTiles{at_root(folder.path())}; }), "no tile found"));
  write_tile(folder.path(), "city/a", {{1, 2, 3, 0, 9, 0}});
  CHECK(says(read_error(folder.path()), "9"));
  LaserTilesParams params = at_root(folder.path());
  params.test = {"village/*"};
  CHECK(says(error_of([&] { LaserTiles{params}; }), "'village/*'"));
  write_tile(folder.path(), "city/a", {{NAN, 2, 3, 0, 1, 0}, {1, 2, 3, 0, 1, 0}});
  CHECK(LaserTiles(at_root(folder.path())).get(0, {}).tensors.at("coord").size(0) == 1);
  const fs::path file = folder / "city/a.pts16.gz";
  const std::string whole = read_text(file);
  write_text(file, whole.substr(0, whole.size() - 3));
  CHECK(says(read_error(folder.path()), "cut short"));
  write_text(file, "no gzip file");
  CHECK(says(read_error(folder.path()), "damaged"));
  write_text(file, "");
  CHECK(says(read_error(folder.path()), "cut short"));
  write_gzip(file, std::vector<std::byte>(20));
  CHECK(says(read_error(folder.path()), "multiple of 16"));
}

TEST_CASE("gzip: round trip, limit, trailing bytes, random damage", "[gzip][fuzz]") {
  TempDir folder;
  std::vector<std::byte> bytes(100000);
  RandomStream stream(3, "gzip");
  for (auto& b : bytes) b = static_cast<std::byte>(stream.below(7));
  const fs::path file = folder / "x.gz";
  write_gzip(file, bytes);
  CHECK((read_gzip(file) == bytes));
  CHECK(says(error_of([&] { read_gzip(file, 99999); }), "more than 99999 bytes"));
  const std::string whole = read_text(file);
  write_text(file, whole + "!");
  CHECK(says(error_of([&] { read_gzip(file); }), "1 bytes follow"));
  for (int i = 0; i < 200; ++i) {
    std::string damaged = whole;
    damaged[static_cast<size_t>(stream.below(int64_t(whole.size())))] ^=
        static_cast<char>(1 << stream.below(8));
    write_text(file, damaged);
    try {
      const size_t size = read_gzip(file).size();
      CHECK(size <= 2 * bytes.size());
    } catch (const Error&) {
    }
  }
}
