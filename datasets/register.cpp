#include "datasets/concat.h"
#include "datasets/image/cifar10.h"
#include "datasets/image/idx.h"
#include "datasets/image/image_domains.h"
#include "datasets/image/image_folder.h"
#include "datasets/image/latent_cache.h"
#include "datasets/image/noise_latents.h"
#include "datasets/image/shapes.h"
#include "datasets/point_cloud/bin_label.h"
#include "datasets/point_cloud/laser_tiles.h"
#include "datasets/point_cloud/npy_folder.h"
#include "datasets/point_cloud/nuscenes.h"
#include "datasets/point_cloud/point_files.h"
#include "datasets/point_cloud/pointcept.h"
#include "datasets/point_cloud/s3dis.h"
#include "datasets/point_cloud/scannet.h"
#include "datasets/point_cloud/semantic_kitti.h"
#include "datasets/point_cloud/transformed.h"
#include "datasets/registry.h"
#include "datasets/shards.h"
#include "datasets/subset.h"

namespace switchyard {
namespace {

struct ShardParams {
  std::string root;
  bool verify = false;
  static void declare(Fields<ShardParams>& f) {
    f.add("root", &ShardParams::root, "folder that `switchyard pack` wrote");
    f.add("verify", &ShardParams::verify, "check the hashes of all shards when opening");
  }
};

std::unique_ptr<Dataset> make_shards(const ShardParams& params) {
  auto out = std::make_unique<ShardDataset>(params.root);
  if (params.verify) out->verify();
  return out;
}

std::unique_ptr<Dataset> make_subset(const SubsetParams& params) {
  return std::make_unique<Subset>(datasets().make(params.dataset, "dataset"),
                                  SampleChoice{params.domains, params.splits});
}

std::unique_ptr<Dataset> make_concat(const ConcatParams& params) {
  std::vector<std::shared_ptr<const Dataset>> parts;
  for (const ConfigNode& part : params.datasets) parts.push_back(datasets().make(part, "datasets"));
  return std::make_unique<Concat>(std::move(parts));
}

std::unique_ptr<Dataset> make_transformed(const TransformedParams& params) {
  return std::make_unique<Transformed>(datasets().make(params.dataset, "dataset"), params);
}

}  // namespace

void register_datasets() {
  Registry<Dataset>& registry = datasets();
  if (registry.find("shards")) return;
  registry.add<ShardParams>("shards", "packed shards (switchyard pack)", make_shards);
  registry.add<NpyFolderParams>(
      "npy_folder", "own point clouds: one folder of .npy files per sample",
      [](const NpyFolderParams& p) { return std::make_unique<NpyFolderDataset>(p); });
  registry.add<BinLabelParams>(
      "bin_label", "driving scans: SENSOR/SPLIT/velodyne/*.bin, labels/*.label",
      [](const BinLabelParams& p) { return std::make_unique<BinLabelDataset>(p); });
  registry.add<LaserTilesParams>(
      "laser_tiles", "laser surveys: DOMAIN/*.pts16.gz",
      [](const LaserTilesParams& p) { return std::make_unique<LaserTiles>(p); });
  registry.add<PointceptParams>(
      "pointcept", "Pointcept's scenes: SPLIT/SCENE/*.npy or SPLIT/SCENE.pth",
      [](const PointceptParams& p) { return std::make_unique<PointceptDataset>(p); });
  registry.add<S3disParams>("s3dis", "S3DIS as released: Area_N/ROOM/Annotations/*.txt",
                            [](const S3disParams& p) { return std::make_unique<S3disDataset>(p); });
  registry.add<ScannetParams>(
      "scannet", "ScanNet v2 as released: scans/SCENE/SCENE_vh_clean_2.ply and label files",
      [](const ScannetParams& p) { return std::make_unique<ScannetDataset>(p); });
  registry.add<PointFilesParams>(
      "point_files", "one PLY, PCD or XYZ file per cloud",
      [](const PointFilesParams& p) { return std::make_unique<PointFilesDataset>(p); });
  registry.add<SemanticKittiParams>(
      "semantic_kitti", "SemanticKITTI as released: sequences/NN/velodyne, labels",
      [](const SemanticKittiParams& p) { return std::make_unique<SemanticKittiDataset>(p); });
  registry.add<NuscenesParams>(
      "nuscenes", "nuScenes-lidarseg, listed by JSON",
      [](const NuscenesParams& p) { return std::make_unique<NuscenesDataset>(p); });
<<<<<<< HEAD
  registry.add<NoiseLatentsParams>(
      "noise_latents", "latents of noise, to measure speed",
      [](const NoiseLatentsParams& p) { return std::make_unique<NoiseLatents>(p); });
=======
  registry.add<ImageFolderParams>(
      "image_folder", "images by class: SPLIT/CLASS/*.jpg or CLASS/*.jpg", open_image_folder);
  registry.add<ImageDomainsParams>(
      "image_domains",
      "images of several styles: DOMAIN/CLASS/*.jpg, index.csv or DOMAIN_SPLIT.txt",
      open_image_domains);
  registry.add<Cifar10Params>("cifar10", "CIFAR-10, binary version", open_cifar10);
  registry.add<IdxParams>("idx", "MNIST's files: PART-images-idx3-ubyte[.gz] and labels", open_idx);
  registry.add<LatentCacheParams>("latent_cache", "latents of a VAE: CLASS/NAME.latent.npz",
                                  open_latent_cache);
  registry.add<ShapesParams>("shapes", "drawn shapes in five styles",
                             [](const ShapesParams& p) { return std::make_unique<Shapes>(p); });
>>>>>>> image
  registry.add<SubsetParams>("subset", "part of a dataset, by domain and split", make_subset);
  registry.add<ConcatParams>("concat", "several datasets as one", make_concat);
  register_point_transforms();
  registry.add<TransformedParams>("transformed", "point clouds under a list of transforms",
                                  make_transformed);
}

}  // namespace switchyard
