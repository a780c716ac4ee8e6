#include "datasets/image/opencv_decode.h"

#include <ATen/ops/empty.h>

#include <opencv2/imgcodecs.hpp>

#include "core/base/error.h"

namespace switchyard {
namespace {

cv::Mat decode(std::span<const std::byte> bytes) {
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
  try {
    return cv::imdecode(raw, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception&) {
    return {};
  }
}

}  // namespace

bool has_image_decoder() { return true; }

at::Tensor opencv_decode(std::span<const std::byte> bytes, const std::string& where) {
  check(bytes.size() < size_t{1} << 31, where, "is too large: got ", bytes.size(), " bytes");
  const cv::Mat bgr = decode(bytes);
  check(!bgr.empty() && bgr.type() == CV_8UC3, where, "damaged image: it cannot be decoded");
  at::Tensor out = at::empty({bgr.rows, bgr.cols, 3}, at::kByte);
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* from = bgr.ptr<uint8_t>(y);
    uint8_t* to = out.data_ptr<uint8_t>() + int64_t{3} * y * bgr.cols;
    for (int64_t i = 0; i < int64_t{3} * bgr.cols; ++i) to[i] = from[i - i % 3 + 2 - i % 3];
  }
  return out;
}

}  // namespace switchyard
