#include "core/base/error.h"
#include "datasets/point_cloud/open3d_file.h"

namespace switchyard {
namespace {

[[noreturn]] void no_open3d(const std::filesystem::path& path) {
  fail(path.string(),
       "PLY and PCD files need Open3D, which this build does not hold; valid: "
       "libopen3d-dev installed and cmake run anew, or shards from switchyard pack");
}

}  // namespace

bool has_open3d() { return false; }

std::map<std::string, at::Tensor> open3d_points(const std::filesystem::path& path) {
  no_open3d(path);
}

MeshArrays open3d_mesh(const std::filesystem::path& path) { no_open3d(path); }

}  // namespace switchyard
