#include "datasets/image/decode.h"

#include "core/io/file.h"
#include "datasets/image/center_crop.h"
#include "datasets/image/convert.h"
#include "datasets/image/image_header.h"
#include "datasets/image/opencv_decode.h"

namespace switchyard {

at::Tensor decode_image(std::span<const std::byte> bytes, const std::string& where) {
  const ImageHeader header = read_image_header(bytes, where);
  const at::Tensor out = opencv_decode(bytes, where);
  check(out.size(0) == header.height && out.size(1) == header.width, where, "damaged image: got ",
        out.size(0), " x ", out.size(1), " pixels, expected ", header.height, " x ", header.width,
        " as in its header");
  return out;
}

at::Tensor fit_image(const at::Tensor& image, const ImageShape& shape) {
  const bool color = image.dim() == 3;
  at::Tensor out = shape.channels == 3 ? to_rgb(image, "fit_image")
                   : color             ? rgb_to_gray(image)
                                       : image;
  if (out.size(0) != shape.size || out.size(1) != shape.size) out = center_crop(out, shape.size);
  return (out.dim() == 3 ? out.permute({2, 0, 1}) : out.unsqueeze(0)).contiguous();
}

at::Tensor read_image(const std::filesystem::path& path, const ImageShape& shape) {
  const auto file = MappedFile::open(path);
  const at::Tensor image = decode_image(file->bytes(), path.string());
  try {
    return fit_image(image, shape);
  } catch (const Error& error) {
    fail(path.string(), error.what());
  }
}

}  // namespace switchyard
