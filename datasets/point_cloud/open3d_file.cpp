#include "datasets/point_cloud/open3d_file.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <open3d/io/TriangleMeshIO.h>
#include <open3d/t/geometry/PointCloud.h>
#include <open3d/t/io/PointCloudIO.h>

#include <cstring>

#include "core/base/error.h"

namespace switchyard {
namespace {

at::ScalarType dtype_of(const open3d::core::Dtype& dtype, const std::string& where) {
  namespace o3d = open3d::core;
  if (dtype == o3d::Float32) return at::kFloat;
  if (dtype == o3d::Float64) return at::kDouble;
  if (dtype == o3d::UInt8) return at::kByte;
  if (dtype == o3d::Int8) return at::kChar;
  if (dtype == o3d::Int16) return at::kShort;
  if (dtype == o3d::Int32) return at::kInt;
  if (dtype == o3d::Int64) return at::kLong;
  fail(where, "unsupported type: got ", dtype.ToString(),
       "; valid: float32, float64, uint8, int8, int16, int32, int64");
}

at::Tensor to_torch(const open3d::core::Tensor& given, const std::string& where) {
  const open3d::core::Tensor tensor = given.Contiguous();
  at::Tensor out =
      at::empty(std::vector<int64_t>(tensor.GetShape()), dtype_of(tensor.GetDtype(), where));
  if (out.numel() > 0) std::memcpy(out.data_ptr(), tensor.GetDataPtr(), out.nbytes());
  return out;
}

/// Rows of three doubles.
at::Tensor to_torch(const std::vector<Eigen::Vector3d>& rows) {
  static_assert(sizeof(Eigen::Vector3d) == 3 * sizeof(double));
  at::Tensor out = at::empty({static_cast<int64_t>(rows.size()), 3}, at::kDouble);
  if (!rows.empty()) std::memcpy(out.data_ptr(), rows.data(), out.nbytes());
  return out;
}

at::Tensor to_torch(const std::vector<Eigen::Vector3i>& rows) {
  static_assert(sizeof(Eigen::Vector3i) == 3 * sizeof(int32_t));
  at::Tensor out = at::empty({static_cast<int64_t>(rows.size()), 3}, at::kInt);
  if (!rows.empty()) std::memcpy(out.data_ptr(), rows.data(), out.nbytes());
  return out.to(at::kLong);
}

/// Runs `read`; what Open3D throws and what it only reports become an Error.
template <class Read>
void read_or_fail(const std::filesystem::path& path, Read read) {
  open3d::utility::SetVerbosityLevel(open3d::utility::VerbosityLevel::Error);
  bool ok = false;
  std::string reason = "damaged or cut off";
  try {
    ok = read();
  } catch (const std::exception& error) {
    reason = error.what();
    reason = reason.substr(0, reason.find('\n'));
  }
  check(ok, path.string(), "Open3D cannot read it: ", reason);
}

}  // namespace

bool has_open3d() { return true; }

std::map<std::string, at::Tensor> open3d_points(const std::filesystem::path& path) {
  open3d::t::geometry::PointCloud cloud;
  read_or_fail(path, [&] {
    return open3d::t::io::ReadPointCloud(path.string(), cloud, {"auto", false, false, false});
  });
  std::map<std::string, at::Tensor> out;
  for (const auto& [name, tensor] : cloud.GetPointAttr())
    out.emplace(name, to_torch(tensor, path.string() + ":" + name));
  return out;
}

MeshArrays open3d_mesh(const std::filesystem::path& path) {
  open3d::geometry::TriangleMesh mesh;
  read_or_fail(path, [&] { return open3d::io::ReadTriangleMesh(path.string(), mesh); });
  MeshArrays out;
  out.coord_V3 = to_torch(mesh.vertices_).to(at::kFloat);
  // It divided them by 255.
  if (mesh.HasVertexColors())
    out.color_V3 = (to_torch(mesh.vertex_colors_) * 255.0).round().to(at::kByte);
  out.face_F3 = to_torch(mesh.triangles_);
  return out;
}

}  // namespace switchyard
