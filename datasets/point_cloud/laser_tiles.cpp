#include "datasets/point_cloud/laser_tiles.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "core/base/glob.h"
#include "core/io/gzip.h"
#include "datasets/folder.h"
#include "datasets/point_cloud/points.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

constexpr size_t kRecord = 16;
constexpr char kExtension[] = ".pts16.gz";

/// "DOMAIN/NAME" is matched.
bool is_test(const std::string& uri, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches_glob(pattern, uri); });
}

struct Records {
  at::Tensor coord, raw, common, intensity;  ///< [N, 3] f32, [N] i64, [N] i64, [N] f32
};

Records parse(const std::vector<std::byte>& bytes, const std::string& where) {
  check(bytes.size() % kRecord == 0, where, "wrong size: got ", bytes.size(),
        " bytes unpacked, expected a multiple of ", kRecord,
        " (x, y, z, raw label, common label, intensity)");
  const auto points = static_cast<int64_t>(bytes.size() / kRecord);
  Records out{at::empty({points, 3}, at::kFloat), at::empty({points}, at::kLong),
              at::empty({points}, at::kLong), at::empty({points}, at::kFloat)};
  for (int64_t i = 0; i < points; ++i) {
    const std::byte* record = bytes.data() + static_cast<size_t>(i) * kRecord;
    uint16_t raw;
    std::memcpy(out.coord.data_ptr<float>() + 3 * i, record, 12);
    std::memcpy(&raw, record + 12, 2);
    out.raw.data_ptr<int64_t>()[i] = raw;
    out.common.data_ptr<int64_t>()[i] = std::to_integer<int64_t>(record[14]);
    out.intensity.data_ptr<float>()[i] = static_cast<float>(std::to_integer<int>(record[15])) / 255;
  }
  return out;
}

}  // namespace

void LaserTilesParams::declare(Fields<LaserTilesParams>& f) {
  f.add("root", &LaserTilesParams::root, "folder with DOMAIN/*.pts16.gz");
  f.add("source", &LaserTilesParams::source, "public name of the data, quoted in results");
  f.add("labels", &LaserTilesParams::labels, "which label of a record the class map reads",
        Choices{{"raw", "common"}});
  f.add("test", &LaserTilesParams::test,
        "DOMAIN/NAME patterns of the tiles of split test; all others are train");
  f.add("class_map", &LaserTilesParams::class_map, "{classes: [..], map: {label: name or ignore}}");
}

LaserTiles::LaserTiles(const LaserTilesParams& params)
    : common_labels_(params.labels == "common"),
      class_map_(ClassMap::from_config(params.class_map, "class_map")) {
  const fs::path root = params.root;
  std::vector<fs::path> files;
  for (const auto& domain : subfolders(root)) {
    for (const auto& name : stems_of(root / domain, kExtension)) {
      const std::string uri = domain + "/" + name;
      files.push_back(root / domain / (name + kExtension));
      tiles_.push_back(
          {{uri, domain, uri, is_test(uri, params.test) ? "test" : "train"}, files.back()});
    }
  }
  check(!tiles_.empty(), root.string(), "no tile found: expected DOMAIN/*", kExtension);
  for (const auto& pattern : params.test) {
    check(std::any_of(tiles_.begin(), tiles_.end(),
                      [&](const Tile& t) { return matches_glob(pattern, t.info.uri); }),
          "dataset.test", "no tile matches '", pattern, "'; there is ", tiles_.front().info.uri,
          " and ", tiles_.size() - 1, " more");
  }
  info_.class_names = class_map_.class_names();
  info_.source = params.source.empty() ? root.filename().string() : params.source;
  info_.hash = hash_of_files(root, files,
                             cat(params.labels, "\n", class_map_.text(), "\n", join(params.test)));
}

Sample LaserTiles::get(int64_t index, const Draw& draw) const {
  const Tile& tile = tiles_.at(index);
  const std::string where = tile.path.string();
  const Records records = parse(read_gzip(tile.path), where);
  Sample out{{}, tile.info};
  out.tensors["coord"] = records.coord;
  out.tensors["segment"] = class_map_.apply(common_labels_ ? records.common : records.raw, where);
  if (records.intensity.count_nonzero().item<int64_t>() > 0)
    out.tensors["intensity"] = records.intensity;
  drop_non_finite(out, where, draw.epoch == 0);
  return out;
}

}  // namespace switchyard
