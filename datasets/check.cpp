#include "datasets/check.h"

#include "core/base/error.h"
#include "datasets/image/cifar10.h"
#include "datasets/image/idx.h"
#include "datasets/image/image_domains.h"
#include "datasets/image/image_folder.h"
#include "datasets/image/latent_cache.h"
#include "datasets/layout.h"
#include "datasets/point_cloud/bin_label.h"
#include "datasets/point_cloud/npy_folder.h"
#include "datasets/point_cloud/nuscenes.h"
#include "datasets/point_cloud/point_files.h"
#include "datasets/point_cloud/pointcept.h"
#include "datasets/point_cloud/s3dis.h"
#include "datasets/point_cloud/scannet.h"
#include "datasets/point_cloud/semantic_kitti.h"
#include "datasets/shards.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> table = {
      // clang-format off
      shards_layout(),
      s3dis_layout(),
      scannet_layout(),
      semantic_kitti_layout(),
      nuscenes_layout(),
      bin_label_layout(),
      npy_folder_layout(),
      npy_flat_layout(),
      pointcept_layout(),
      point_files_layout(),
      point_files_flat_layout(),
      cifar10_layout(),
      idx_layout(),
      latent_cache_layout(),
      image_domains_layout(),
      image_folder_layout(),
      // clang-format on
  };
  return table;
}

}  // namespace

std::vector<std::string> check_dataset(const fs::path& folder) {
  check(fs::is_directory(folder), folder.string(), "no such folder");
  std::vector<std::string> valid;
  for (const Layout& layout : layouts()) {
    if (layout.found(folder)) return layout.check(folder);
    valid.push_back(cat(layout.name, " (", layout.shape, ")"));
  }
  fail(folder.string(), "unknown layout; valid: ", join(valid));
}

}  // namespace switchyard
