// Encoded images that are damaged, hostile or of unusual kinds.

#include <ATen/TensorOperators.h>

#include "core/io/npy.h"
#include "core/io/safetensors.h"
#include "datasets/image/decode.h"
#include "datasets/image/image_header.h"
#include "tests/datasets/image/layouts/pictures.h"
#include "tests/support/fuzz.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::string stored(const std::string& set, const std::string& name) {
  const auto file = SafeTensors::open(data_dir() / "golden/diffusion" / (set + ".safetensors"));
  const at::Tensor bytes = file.get("inputs/" + name);
  return {reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()),
          static_cast<size_t>(bytes.numel())};
}

ImageHeader header_of(const std::string& bytes) {
  return read_image_header(std::as_bytes(std::span(bytes)), "x.img");
}
std::string header_error(const std::string& bytes) {
  return error_of([&] { header_of(bytes); });
}

/// `bytes` with `value` at `at`, first byte highest.
std::string patched(std::string bytes, size_t at, uint32_t value, int size = 4) {
  for (int i = 0; i < size; ++i)
    bytes[at + i] = static_cast<char>(value >> 8 * (size - 1 - i) & 0xff);
  return bytes;
}

/// Place of the size in a JPEG's frame.
size_t frame_size(const std::string& jpeg) { return jpeg.find("\xff\xc0") + 5; }

}  // namespace

TEST_CASE("the header tells format and size", "[image]") {
  for (const auto& [name, format] :
       std::map<std::string, std::string>{{"bmp_24", "bmp"},
                                          {"webp_lossless", "webp"},
                                          {"webp_lossy", "webp"},
                                          {"webp_alpha", "webp"},
                                          {"png_bilevel", "png"},
                                          {"jpeg_exif_turned", "jpeg"}}) {
    INFO(name);
    const ImageHeader header = header_of(stored("image_decode_formats", name));
    CHECK(header.format == format);
    CHECK(header.height == 11);
    CHECK(header.width == 13);
  }
}

TEST_CASE("images of 30,000 pixels, of none and of other formats are refused by their header",
          "[image]") {
  const std::string png = encode_png(picture(0)), jpeg = stored("image_decode", "jpeg_420");
  CHECK(holds(header_error(patched(png, 16, 30000)), "8 x 30000 pixels, expected at most 16384"));
  CHECK(holds(header_error(patched(patched(png, 16, 16000), 20, 16000)), "89478485 in all"));
  CHECK(holds(header_error(patched(png, 16, 0xffffffff)), "too large"));
  CHECK(holds(header_error(patched(png, 16, 0)), "has no size"));
  CHECK(holds(header_error(patched(jpeg, frame_size(jpeg) + 2, 30000, 2)), "x 30000 pixels"));
  CHECK(holds(header_error(patched(jpeg, frame_size(jpeg), 0, 2)), "without a frame"));
  CHECK(holds(header_error(""), "is empty"));
  CHECK(holds(header_error("GIF89a......"), "valid: JPEG, PNG, WebP, BMP"));
  CHECK(holds(header_error("BM"), "behind its end"));
}

TEST_CASE("images that end too early are refused", "[image]") {
  const std::string jpeg = stored("image_decode", "jpeg_420_progressive");
  for (const size_t length : {jpeg.size() - 1, jpeg.size() / 2, size_t{20}})
    CHECK(holds(header_error(jpeg.substr(0, length)), "is cut off"));
  CHECK(header_of(jpeg + "rest").format == "jpeg");
  if (!decoder_or_warn()) return;
  for (const char* name : {"webp_lossy", "png_bilevel", "bmp_24"}) {
    INFO(name);
    const std::string bytes = stored("image_decode_formats", name);
    const std::string cut = bytes.substr(0, bytes.size() * 2 / 3);
    CHECK(holds(error_of([&] { decode_image(std::as_bytes(std::span(cut)), "x.img"); }), "x.img"));
  }
}

TEST_CASE("CMYK is converted within 2 levels of Pillow, unless its polarity is unknown",
          "[image]") {
  const std::string bytes = read_text(data_dir() / "datasets/image/files/cmyk.jpg");
  std::string unmarked = bytes;
  unmarked[bytes.find("Adobe")] = 'B';
  CHECK(holds(header_error(unmarked), "without Adobe's marker"));
  if (!decoder_or_warn()) return;
  const at::Tensor got = decode_image(std::as_bytes(std::span(bytes)), "cmyk.jpg");
  const at::Tensor expected = read_npy(data_dir() / "datasets/image/files/cmyk.npy");
  CHECK((got.to(at::kInt) - expected.to(at::kInt)).abs().max().item<int64_t>() <= 2);
}

TEST_CASE("damaged images never crash the reader", "[image][fuzz]") {
  if (!decoder_or_warn()) return;
  TempDir folder;
  for (const char* name : {"webp_lossless", "webp_lossy", "png_palette_transparent", "bmp_24",
                           "bmp_palette", "jpeg_exif_turned"}) {
    INFO(name);
    write_text(folder / name, stored("image_decode_formats", name));
    CHECK(refusals(
              folder / name,
              [&] {
                read_image(folder / name, {16, 3});
              },
              300) > 20);
  }
}
