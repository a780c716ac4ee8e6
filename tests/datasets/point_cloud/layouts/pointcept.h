#pragma once
// Writes scenes as Pointcept's preprocessing does, before and since 1.5.2.

#include "core/io/npy.h"
#include "core/io/torch_file.h"
#include "tests/core/io/torch_support.h"
#include "tests/datasets/point_cloud/layouts/scene.h"

namespace switchyard::test {

/// FOLDER/coord.npy ...; labels as [N,1], as in S3DIS.
inline void write_pointcept_folder(const std::filesystem::path& folder, const Scene& scene,
                                   const std::string& segment = "segment") {
  write_npy(folder / "coord.npy", scene.coord);
  write_npy(folder / "color.npy", scene.color);
  write_npy(folder / "normal.npy", scene.normal);
  write_npy(folder / (segment + ".npy"), scene.segment.to(at::kShort).unsqueeze(1));
  write_npy(folder / "instance.npy", scene.instance.to(at::kShort).unsqueeze(1));
}

/// A .pth of tensors under the older names.
inline void write_pointcept_tensors(const std::filesystem::path& file, const Scene& scene) {
  write_torch(file, {{"coord", scene.coord},
                     {"color", scene.color.to(at::kDouble)},
                     {"normal", scene.normal},
                     {"semantic_gt", scene.segment},
                     {"instance_gt", scene.instance}});
}

/// A NumPy array as Python 3 pickles it with protocol 2.
inline std::string numpy_pickle(const at::Tensor& tensor, const std::string& code,
                                const std::string& module = "numpy.core.multiarray") {
  const at::Tensor flat = tensor.contiguous();
  std::string latin1;
  for (size_t i = 0; i < flat.nbytes(); ++i) {
    const auto byte = static_cast<const unsigned char*>(flat.data_ptr())[i];
    if (byte < 0x80) {
      latin1 += static_cast<char>(byte);
    } else {
      latin1 += static_cast<char>(0xc0 | byte >> 6);
      latin1 += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  const auto encoded = [](const std::string& text) {
    return py::global("_codecs", "encode") + py::text(text) + py::text("latin1") + "\x86R";
  };
  const std::vector<int32_t> shape(tensor.sizes().begin(), tensor.sizes().end());
  return py::global(module, "_reconstruct") + py::global("numpy", "ndarray") + py::tuple({0}) +
         encoded("b") + "\x87R(" + py::num(1) + py::tuple(shape) + py::global("numpy", "dtype") +
         py::text(code) + "\x89\x88\x87R(" + py::num(3) + py::text("<") + "NNN" + py::num(-1) +
         py::num(-1) + py::num(0) + "tb\x89" + encoded(latin1) + "tb";
}

/// A .pth of NumPy arrays under the older names, as Pointcept 1.5.1 leaves it.
inline void write_pointcept_numpy(const std::filesystem::path& file, const Scene& scene) {
  std::filesystem::create_directories(file.parent_path());
  const std::string dict = py::dict({
      {"coord", numpy_pickle(scene.coord.to(at::kDouble), "f8")},
      {"color", numpy_pickle(scene.color.to(at::kDouble), "f8")},
      {"normal", numpy_pickle(scene.normal, "f4", "numpy._core.multiarray")},
      {"semantic_gt", numpy_pickle(scene.segment.unsqueeze(1), "i8")},
      {"instance_gt", numpy_pickle(scene.instance.unsqueeze(1), "i8")},
      {"scene_id", py::text("scene0000_00")},
  });
  write_pth(file, py::pickle(dict), {});
}

}  // namespace switchyard::test
