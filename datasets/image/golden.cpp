#include "datasets/image/golden.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include "core/golden/golden.h"
#include "datasets/image/center_crop.h"
#include "datasets/image/convert.h"
#include "datasets/image/decode.h"
#include "datasets/image/normalize.h"
#include "datasets/image/opencv_decode.h"
#include "datasets/image/resize.h"

namespace switchyard {
namespace {

/// As stored: pixels and fp32 values have one precision.
at::Tensor stored(const GoldenCase& c, const std::string& name) {
  return c.file.get("inputs/" + name).clone();
}

/// Pillow 13.0's order of passes: vertical first for images that shrink much more in height.
at::Tensor resize_newer(const at::Tensor& image, int64_t height, int64_t width,
                        ResizeFilter filter) {
  const int64_t shrink = image.size(0) - height;
  if (shrink <= 0 || shrink <= 2 * (image.size(1) - width))
    return resize_image(image, height, width, filter);
  return resize_image(resize_image(image, height, image.size(1), filter), height, width, filter);
}

void run_resize(const GoldenCase& c, GoldenResult& result) {
  const at::Tensor image = stored(c, "image");
  for (const auto& name : c.config.at("filters")) {
    const auto filter = resize_filter_from_name(name.get<std::string>(), "filters");
    for (const auto& size : c.config.at("sizes_hw")) {
      const auto height = size.at(0).get<int64_t>(), width = size.at(1).get<int64_t>();
      const std::string key = cat(name.get<std::string>(), ".", height, "x", width);
      result.compare("outputs/" + key, resize_image(image, height, width, filter));
      if (c.has("outputs/vertical_first/" + key))
        result.compare("outputs/vertical_first/" + key, resize_newer(image, height, width, filter));
    }
  }
}

at::Tensor pairs(const std::vector<std::array<int64_t, 2>>& rows) {
  std::vector<int64_t> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  return at::tensor(flat, at::kLong).view({-1, 2});
}

at::Tensor resize_stages_newer(const at::Tensor& image, const CropPlan& plan) {
  at::Tensor out = image;
  for (size_t i = 1; i < plan.sizes.size(); ++i) {
    const bool last = i + 1 == plan.sizes.size();
    out = resize_newer(out, plan.sizes[i][0], plan.sizes[i][1],
                       last ? ResizeFilter::Bicubic : ResizeFilter::Box);
  }
  return out;
}

void compare_size_table(const GoldenCase& c, GoldenResult& result) {
  const at::Tensor table = c.input("size_table_hw").contiguous();
  const auto target = c.config.at("size_table_target").get<int64_t>();
  const int64_t* side = table.const_data_ptr<int64_t>();
  std::vector<std::array<int64_t, 2>> resized;
  for (int64_t i = 0; i < table.size(0); ++i)
    resized.push_back(plan_center_crop(side[2 * i], side[2 * i + 1], target).sizes.back());
  result.compare("outputs/size_table_resized_hw", pairs(resized));
}

void run_center_crop(const GoldenCase& c, GoldenResult& result) {
  for (const auto& item : c.config.at("cases")) {
    const std::string key = std::to_string(item.at("index").get<int64_t>());
    const at::Tensor image = stored(c, key + ".image");
    const auto size = item.at("size").get<int64_t>();
    const CropPlan plan = plan_center_crop(image.size(0), image.size(1), size);
    result.compare("outputs/" + key + ".stage_sizes_hw", pairs(plan.sizes));
    result.compare("outputs/" + key + ".offset_yx", pairs({plan.offset}).view({2}));
    result.compare("outputs/" + key + ".resized", resize_in_stages(image, plan));
    result.compare("outputs/" + key + ".crop", center_crop(image, size));
    const std::string newer = "outputs/" + key + ".vertical_first_resized";
    if (c.has(newer)) result.compare(newer, resize_stages_newer(image, plan));
  }
  compare_size_table(c, result);
}

void run_normalize(const GoldenCase& c, GoldenResult& result) {
  const at::Tensor image = stored(c, "image"), levels = at::arange(256, at::kByte);
  result.compare("outputs/flipped", image.flip(1));
  for (const std::string& rule : normalize_rules()) {
    result.compare("outputs/" + rule + ".chw", normalize_image(image, rule).permute({2, 0, 1}));
    result.compare("outputs/" + rule + ".table", normalize_image(levels, rule));
  }
  result.compare("outputs/exact.table", levels.to(at::kDouble) / 127.5 - 1);
}

void run_to_uint8(const GoldenCase& c, GoldenResult& result) {
  for (const std::string& rule : to_uint8_rules()) {
    result.compare("outputs/" + rule, to_uint8(stored(c, "x"), rule));
    result.compare("outputs/edge." + rule, to_uint8(stored(c, "x_edge"), rule));
  }
}

at::Tensor converted(const GoldenCase& c, const std::string& mode) {
  const at::Tensor image = stored(c, mode);
  if (mode == "CMYK") return cmyk_to_rgb(image);
  if (mode == "1") return to_rgb(image * 255, mode);
  if (mode != "P") return to_rgb(image, mode);
  const at::Tensor color_N3 = stored(c, "P.palette").index_select(0, image.flatten().to(at::kLong));
  return color_N3.view({image.size(0), image.size(1), 3});
}

void run_convert(const GoldenCase& c, GoldenResult& result) {
  for (const auto& mode : c.config.at("modes")) {
    const auto name = mode.get<std::string>();
    result.compare("outputs/" + name, converted(c, name));
  }
  result.compare("outputs/RGB_to_L", rgb_to_gray(stored(c, "RGB")));
}

void run_decode(const GoldenCase& c, GoldenResult& result) {
  if (!has_image_decoder()) throw NotCovered{"needs the part image-files"};
  for (const auto& file : c.config.at("files")) {
    const auto name = file.get<std::string>();
    const at::Tensor bytes = stored(c, name);
    const auto* data = reinterpret_cast<const std::byte*>(bytes.const_data_ptr<uint8_t>());
    result.compare("outputs/" + name,
                   decode_image({data, static_cast<size_t>(bytes.numel())}, name));
  }
}

}  // namespace

void register_image_golden() {
  [[maybe_unused]] static const bool once = [] {
    register_golden_kind("diffusion", "image_resize", run_resize);
    register_golden_kind("diffusion", "image_center_crop", run_center_crop);
    register_golden_kind("diffusion", "image_normalize", run_normalize);
    register_golden_kind("diffusion", "image_to_uint8", run_to_uint8);
    register_golden_kind("diffusion", "image_convert", run_convert);
    register_golden_kind("diffusion", "image_decode", run_decode);
    return true;
  }();
}

}  // namespace switchyard
