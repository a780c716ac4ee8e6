#include "core/io/png.h"

#include <zlib.h>

#include "core/base/error.h"
#include "core/io/deflate.h"
#include "core/io/file.h"

namespace switchyard {
namespace {

void put_big_endian(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

void put_chunk(std::string& out, const std::string& type, std::string_view data) {
  put_big_endian(out, static_cast<uint32_t>(data.size()));
  const size_t begin = out.size();
  out.append(type).append(data);
  const auto* bytes = reinterpret_cast<const Bytef*>(out.data() + begin);
  put_big_endian(out, static_cast<uint32_t>(::crc32_z(0, bytes, out.size() - begin)));
}

std::string header_of(const at::Tensor& image) {
  std::string out;
  put_big_endian(out, static_cast<uint32_t>(image.size(1)));
  put_big_endian(out, static_cast<uint32_t>(image.size(0)));
  const char color = image.size(2) == 1 ? 0 : image.size(2) == 3 ? 2 : 6;
  return out + std::string{8, color, 0, 0, 0};
}

/// Every row behind the number of its filter: 2, the difference to the row above.
std::string filtered_rows(const at::Tensor& image) {
  const int64_t width = image.size(1) * image.size(2);
  const auto* pixels = image.const_data_ptr<uint8_t>();
  std::string out;
  out.reserve(static_cast<size_t>(image.size(0) * (width + 1)));
  for (int64_t y = 0; y < image.size(0); ++y, pixels += width) {
    out += 2;
    for (int64_t x = 0; x < width; ++x)
      out += static_cast<char>(pixels[x] - (y == 0 ? 0 : pixels[x - width]));
  }
  return out;
}

}  // namespace

std::string encode_png(const at::Tensor& image_HWC) {
  const bool shaped = image_HWC.dim() == 3 && image_HWC.numel() > 0 && image_HWC.size(2) <= 4 &&
                      image_HWC.size(2) != 2;
  check(shaped && image_HWC.scalar_type() == at::kByte, "encode_png", "wrong image: got ",
        c10::toString(image_HWC.scalar_type()), " ", to_text(image_HWC.sizes().vec()),
        ", expected uint8 [H,W,C] of 1, 3 or 4 channels");
  const at::Tensor image = image_HWC.cpu().contiguous();
  const std::string rows = filtered_rows(image);
  const auto data =
      deflate_bytes(std::as_bytes(std::span(rows)), DeflateFormat::Zlib, "encode_png");
  std::string out = "\x89PNG\r\n\x1a\n";
  put_chunk(out, "IHDR", header_of(image));
  put_chunk(out, "IDAT", {reinterpret_cast<const char*>(data.data()), data.size()});
  put_chunk(out, "IEND", "");
  return out;
}

void write_png(const std::filesystem::path& path, const at::Tensor& image_HWC) {
  write_text(path, encode_png(image_HWC));
}

}  // namespace switchyard
