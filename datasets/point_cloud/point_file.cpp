#include "datasets/point_cloud/point_file.h"

#include <ATen/TensorOperators.h>

#include "core/base/error.h"
#include "datasets/point_cloud/number_rows.h"
#include "datasets/point_cloud/open3d_file.h"
#include "datasets/point_cloud/point_header.h"

namespace switchyard {
namespace fs = std::filesystem;
namespace {

using Attributes = std::map<std::string, at::Tensor>;

Attributes read_text_points(const fs::path& path) {
  const bool plain = path.extension() == ".xyz";
  const at::Tensor rows = read_number_rows(path, plain ? 3 : 6, /*repair=*/false);
  Attributes out = {{"positions", rows.slice(1, 0, 3)}};
  if (!plain) out.emplace(path.extension() == ".xyzn" ? "normals" : "colors", rows.slice(1, 3, 6));
  return out;
}

}  // namespace

const std::vector<std::string>& point_file_extensions() {
  static const std::vector<std::string> names = {".ply", ".pcd", ".xyz", ".xyzn", ".xyzrgb"};
  return names;
}

Attributes read_point_file(const fs::path& path) {
  check_name(path.string(), "extension", path.extension().string(), point_file_extensions());
  const bool ply = path.extension() == ".ply", pcd = path.extension() == ".pcd";
  if (!ply && !pcd) return read_text_points(path);
  const int64_t points = ply ? check_ply_header(path) : check_pcd_header(path);
  Attributes out = open3d_points(path);
  for (auto& [name, tensor] : out) {
    check(tensor.dim() == 2 && tensor.size(0) == points, path.string() + ":" + name,
          "wrong number of points: got ", to_text(tensor.sizes().vec()), ", expected ", points);
    if (tensor.size(1) == 1) tensor = tensor.squeeze(1);
  }
  check(out.count("positions") > 0, path.string(), "holds no points");
  return out;
}

MeshArrays read_mesh_file(const fs::path& path) {
  check(path.extension() == ".ply", path.string(), "expected a .ply file");
  const int64_t vertices = check_ply_header(path);
  MeshArrays out = open3d_mesh(path);
  check(out.coord_V3.size(0) == vertices, path.string(), "wrong number of vertices: got ",
        out.coord_V3.size(0), ", expected ", vertices);
  const at::Tensor bad = (out.face_F3 < 0) | (out.face_F3 >= vertices);
  check(!bad.any().item<bool>(), path.string(), "faces name vertices that are not there: got ",
        bad.sum().item<int64_t>(), " of ", bad.numel(), " corners, expected 0 .. ", vertices - 1);
  return out;
}

}  // namespace switchyard
