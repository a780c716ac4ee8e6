// Resizing, cropping, conversion and the way to PNG, beyond the golden cases.

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/io/deflate.h"
#include "core/io/npy.h"
#include "datasets/image/center_crop.h"
#include "datasets/image/convert.h"
#include "datasets/image/decode.h"
#include "datasets/image/image_grid.h"
#include "datasets/image/image_header.h"
#include "datasets/image/normalize.h"
#include "datasets/image/resize.h"
#include "tests/datasets/image/layouts/pictures.h"

using namespace switchyard;
using namespace switchyard::test;

TEST_CASE("every filter keeps a constant image and the size asked for", "[image]") {
  const auto name = GENERATE("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos");
  const auto filter = resize_filter_from_name(name, "test");
  for (const int64_t size : {1, 3, 9, 31}) {
    const at::Tensor out = resize_image(at::full({9, 7, 3}, 201, at::kByte), size, 5, filter);
    CHECK(out.equal(at::full({size, 5, 3}, 201, at::kByte)));
  }
  CHECK(holds(error_of([] { resize_filter_from_name("area", "test"); }), "valid: nearest, box"));
}

TEST_CASE("wrong images and sizes are refused", "[image]") {
  const at::Tensor image = picture(0);
  const auto resize = [&](const at::Tensor& x, int64_t size) {
    return error_of([&] { resize_image(x, size, size, ResizeFilter::Box); });
  };
  CHECK(holds(resize(image.to(at::kLong), 4), "expected uint8 or float32"));
  CHECK(holds(resize(image, 0), "expected at least 1 x 1"));
  CHECK(holds(resize(at::zeros({0, 4}, at::kByte), 4), "empty image"));
  CHECK(holds(error_of([] { plan_center_crop(0, 4, 4); }), "bad size"));
  CHECK(holds(error_of([] { plan_center_crop(16000, 1, 256); }), "too long and thin"));
  CHECK(holds(error_of([&] { to_rgb(image.to(at::kFloat), "x.png"); }), "x.png"));
  CHECK(holds(error_of([&] { normalize_image(image, "zero_one"); }), "valid: half, adm"));
  CHECK(holds(error_of([&] { to_uint8(image, "dit"); }), "expected floating point"));
}

TEST_CASE("pixels survive normalisation and the way back by each rule", "[image]") {
  const at::Tensor levels = at::arange(256, at::kByte);
  for (const auto& rule : normalize_rules()) {
    const at::Tensor x = normalize_image(levels, rule);
    CHECK(x.scalar_type() == at::kFloat);
    CHECK(x.abs().max().item<float>() == 1);
    for (const auto& back : {"dit", "save_image", "diffusers"})
      CHECK(to_uint8(x, back).equal(levels));
  }
  const at::Tensor wild = at::tensor({std::nan(""), -1e30, 1e30}, at::kDouble);
  for (const auto& rule : to_uint8_rules())
    CHECK(to_uint8(wild, rule).equal(at::tensor({0, 0, 255}, at::kByte)));
}

TEST_CASE("a sample has the channels and the size asked for", "[image]") {
  const at::Tensor color = picture(3, 20, 30), grey = color.select(2, 0);
  CHECK(fit_image(color, {8, 3}).sizes() == at::IntArrayRef({3, 8, 8}));
  CHECK(fit_image(color, {8, 1}).sizes() == at::IntArrayRef({1, 8, 8}));
  const at::Tensor repeated = fit_image(grey, {8, 3});
  CHECK(repeated[0].equal(repeated[2]));
  CHECK(repeated[0].equal(fit_image(grey, {8, 1})[0]));
  CHECK(fit_image(picture(1), {8, 3}).equal(picture(1).permute({2, 0, 1})));
}

TEST_CASE("a PNG that is written is read back", "[image]") {
  if (!decoder_or_warn()) return;
  TempDir folder;
  for (const int64_t channels : {1, 3, 4}) {
    const at::Tensor image = picture(5, 9, 13, channels);
    write_png(folder / "x.png", image);
    const auto file = MappedFile::open(folder / "x.png");
    CHECK(decode_image(file->bytes(), "x.png").equal(to_rgb(image, "x")));
  }
  CHECK(holds(error_of([] { encode_png(picture(0, 4, 4, 2)); }), "1, 3 or 4 channels"));
  CHECK(holds(error_of([] { encode_png(at::zeros({0, 4, 3}, at::kByte)); }), "wrong image"));
}

TEST_CASE("an image grid keeps its images and fills up with white", "[image]") {
  const at::Tensor images = at::zeros({3, 1, 4, 4}, at::kByte);
  const at::Tensor grid = image_grid(images, 2, 1);
  CHECK(grid.sizes() == at::IntArrayRef({9, 9, 1}));
  CHECK((grid == 0).sum().item<int64_t>() == 3 * 16);
  CHECK(grid.narrow(0, 5, 4).narrow(1, 5, 4).equal(at::full({4, 4, 1}, 255, at::kByte)));
  CHECK(image_grid(images, 5, 0).sizes() == at::IntArrayRef({4, 20, 1}));
  CHECK(holds(error_of([&] { image_grid(images, 0); }), "0 columns"));
  CHECK(holds(error_of([&] { image_grid(images[0], 2); }), "expected uint8 [N,C,S,S]"));
}

TEST_CASE("deflated bytes come back, and only they", "[io]") {
  const std::string text(100000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  for (const auto format : {DeflateFormat::Raw, DeflateFormat::Zlib, DeflateFormat::Gzip}) {
    auto packed = deflate_bytes(bytes, format, "x");
    CHECK(std::ranges::equal(inflate_bytes(packed, format, text.size(), "x"), bytes));
    CHECK(holds(error_of([&] { inflate_bytes(packed, format, 99999, "x"); }), "more than 99999"));
    packed.push_back(std::byte{0});
    CHECK(holds(error_of([&] { inflate_bytes(packed, format, text.size(), "x"); }),
                "1 bytes follow"));
    packed.resize(packed.size() / 2);
    CHECK(holds(error_of([&] { inflate_bytes(packed, format, text.size(), "x"); }), "cut short"));
  }
}
