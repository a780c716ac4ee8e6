#include "tests/fuzz/targets.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "core/io/gzip.h"
#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/npz.h"
#include "core/io/safetensors.h"
#include "core/io/tensor_io.h"
#include "datasets/image/cifar10.h"
#include "datasets/image/idx.h"
#include "datasets/image/image_header.h"
#include "datasets/image/image_list.h"
#include "datasets/point_cloud/bin_label.h"
#include "datasets/point_cloud/laser_tiles.h"
#include "datasets/point_cloud/npy_folder.h"
#include "datasets/point_cloud/nuscenes.h"
#include "datasets/point_cloud/pointcept.h"
#include "datasets/point_cloud/s3dis.h"
#include "datasets/point_cloud/scannet.h"
#include "datasets/point_cloud/semantic_kitti.h"
#include "datasets/shards.h"

namespace switchyard::fuzz {
namespace fs = std::filesystem;
namespace {

using Bytes = std::span<const std::byte>;

/// A folder of this process that files are written into again and again.
const fs::path& work_folder() {
  static const fs::path folder = [] {
    const auto path = fs::temp_directory_path() / cat("switchyard-fuzz-", ::getpid());
    fs::create_directories(path);
    return path;
  }();
  return folder;
}

fs::path write(const fs::path& name, Bytes bytes) {
  const fs::path path = work_folder() / name;
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  return path;
}
fs::path write(const fs::path& name, const std::string& text) {
  return write(name, std::as_bytes(std::span(text)));
}

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// {classes: [a, b], map: {0: a, 1: b, ...}}: one of every byte value.
ConfigNode byte_map() {
  ConfigNode out;
  out.child("classes") =
      ConfigNode(ConfigNode::List{ConfigNode(std::string("a")), ConfigNode(std::string("b"))});
  for (int id = 0; id < 256; ++id)
    out.child("map").child(std::to_string(id)) = ConfigNode(std::string(id % 2 ? "b" : "a"));
  return out;
}

void read_all(const Dataset& dataset) {
  for (int64_t i = 0; i < dataset.size(); ++i) dataset.get(i, {});
}

/// The first byte says how much of the rest is the first of two files.
std::pair<Bytes, Bytes> halves(Bytes bytes) {
  if (bytes.empty()) return {};
  const size_t rest = bytes.size() - 1, first = rest * std::to_integer<size_t>(bytes[0]) / 255;
  return {bytes.subspan(1, first), bytes.subspan(1 + first)};
}

void safetensors(Bytes bytes) {
  const auto file = SafeTensors::open(write("x.safetensors", bytes));
  for (const auto& name : file.names()) file.get(name).sum();
}

void npy_folder(Bytes bytes) {
  const auto [coord, segment] = halves(bytes);
  write("npy/classes.txt", "a\nb\n");
  write("npy/d/train/s/coord.npy", coord);
  write("npy/d/train/s/segment.npy", segment);
  NpyFolderParams params;
  params.root = (work_folder() / "npy").string();
  read_all(NpyFolderDataset(params));
}

void bin_label(Bytes bytes) {
  const auto [points, labels] = halves(bytes);
  write("bin/d/train/velodyne/0.bin", points);
  write("bin/d/train/labels/0.label", labels);
  BinLabelParams params;
  params.root = (work_folder() / "bin").string();
  params.class_map.child("d") = byte_map();
  params.roi.r_max = 50;
  read_all(BinLabelDataset(params));
}

void semantic_kitti(Bytes bytes) {
  const auto [points, labels] = halves(bytes);
  write("kitti/sequences/00/velodyne/0.bin", points);
  write("kitti/sequences/00/labels/0.label", labels);
  SemanticKittiParams params;
  params.root = (work_folder() / "kitti").string();
  params.class_map = byte_map();
  read_all(SemanticKittiDataset(params));
}

void kitti_map(Bytes bytes) { kitti_class_map(write("map.yaml", bytes)); }

void nuscenes(Bytes bytes) {
  const auto [list, scan] = halves(bytes);
  write("nuscenes/train.json", list);
  write("nuscenes/a.bin", scan);
  NuscenesParams params;
  params.root = (work_folder() / "nuscenes").string();
  params.class_map = byte_map();
  read_all(NuscenesDataset(params));
}

void laser_tiles(Bytes bytes) {
  write("tiles/d/a.pts16.gz", bytes);
  LaserTilesParams params;
  params.root = (work_folder() / "tiles").string();
  params.class_map = byte_map();
  read_all(LaserTiles(params));
}

void s3dis(Bytes bytes) {
  write("s3dis/Area_1/room/Annotations/a_1.txt", bytes);
  S3disParams params;
  params.root = (work_folder() / "s3dis").string();
  params.class_map = byte_map();
  read_all(S3disDataset(params));
}

/// A scene's mesh, or one of its label files, is the input; the others are sound.
void scannet(Bytes bytes) {
  const std::string ply =
      "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float "
      "z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nelement face 0\nproperty "
      "list uchar int vertex_indices\nend_header\n0 0 0 1 2 3\n1 1 1 4 5 6\n";
  const fs::path scene = "scannet/scans/scene0000_00/scene0000_00";
  const auto at = [&](const char* end) { return fs::path(scene.string() + end); };
  write(at("_vh_clean_2.ply"), ply);
  write(at("_vh_clean_2.0.010000.segs.json"), R"({"segIndices": [0, 1]})");
  write(at(".aggregation.json"),
        R"({"segGroups": [{"id": 0, "objectId": 0, "label": "wall", "segments": [0]}]})");
  write("scannet/scannetv2-labels.combined.tsv", "id\traw_category\tnyu40id\n1\twall\t1\n");
  const char* const ends[] = {"_vh_clean_2.ply", "_vh_clean_2.0.010000.segs.json",
                              ".aggregation.json"};
  if (!bytes.empty()) write(at(ends[std::to_integer<size_t>(bytes[0]) % 3]), bytes.subspan(1));
  ScannetParams params;
  params.root = (work_folder() / "scannet").string();
  params.class_map = byte_map();
  read_all(ScannetDataset(params));
}

void pointcept(Bytes bytes) {
  write("pointcept/train/scene.pth", bytes);
  PointceptParams params;
  params.root = (work_folder() / "pointcept").string();
  read_all(PointceptDataset(params));
}

void idx(Bytes bytes) {
  const auto [images, labels] = halves(bytes);
  write("idx/train-images-idx3-ubyte", images);
  write("idx/train-labels-idx1-ubyte", labels);
  IdxParams params;
  params.root = (work_folder() / "idx").string();
  read_all(*open_idx(params));
}

void cifar10(Bytes bytes) {
  write("cifar10/batches.meta.txt", "a\nb\n");
  write("cifar10/test_batch.bin", bytes);
  Cifar10Params params;
  params.root = (work_folder() / "cifar10").string();
  read_all(*open_cifar10(params));
}

/// The first byte says which kind of list the rest is.
void image_list(Bytes bytes) {
  write("list/x.png", "");
  if (bytes.empty()) return;
  const fs::path file = write("list/list", bytes.subspan(1));
  ImageList list(work_folder() / "list");
  bytes[0] == std::byte{'p'} ? list.add_csv(write("list/list", bytes))
                             : list.add_lines(file, "d", "train");
  list.class_names();
}

void shard_index(Bytes bytes) {
  write("shards/index.json", bytes);
  read_all(ShardDataset(work_folder() / "shards"));
}

}  // namespace

const std::map<std::string, Target>& targets() {
  static const std::map<std::string, Target> all = {
      {"safetensors", safetensors},
      {"npy", [](Bytes bytes) { read_npy(write("x.npy", bytes)); }},
      {"torch", [](Bytes bytes) { read_tensors(write("x.pth", bytes)); }},
      {"yaml", [](Bytes bytes) { load_yaml(write("x.yaml", bytes)); }},
      {"json", [](Bytes bytes) { parse_json(text_of(bytes), "fuzz"); }},
      {"gzip", [](Bytes bytes) { read_gzip(write("x.gz", bytes), size_t{1} << 20); }},
      {"npz", [](Bytes bytes) { read_npz(write("x.npz", bytes)); }},
      {"image_header", [](Bytes bytes) { read_image_header(bytes, "fuzz"); }},
      {"image_list", image_list},
      {"idx", idx},
      {"cifar10", cifar10},
      {"shard_index", shard_index},
      {"npy_folder", npy_folder},
      {"bin_label", bin_label},
      {"semantic_kitti", semantic_kitti},
      {"kitti_map", kitti_map},
      {"nuscenes", nuscenes},
      {"laser_tiles", laser_tiles},
      {"s3dis", s3dis},
      {"scannet", scannet},
      {"pointcept", pointcept}};
  return all;
}

void run(const Target& target, std::span<const std::byte> bytes) {
  try {
    target(bytes);
  } catch (const Error&) {
    // A refusal is what a parser is for.
  }
}

}  // namespace switchyard::fuzz
