#pragma once
// Writes pictures in the layouts of image_folder and image_domains.

#include <ATen/ops/arange.h>

#include "core/io/file.h"
#include "core/io/png.h"
#include "datasets/image/opencv_decode.h"
#include "tests/datasets/support.h"

namespace switchyard::test {

/// u8 [H,W,C], every value depends on `number`.
inline at::Tensor picture(int64_t number, int64_t height = 8, int64_t width = 8,
                          int64_t channels = 3) {
  const at::Tensor values = at::arange(height * width * channels, at::kLong) * 7 + number * 31;
  return values.remainder(256).to(at::kByte).view({height, width, channels});
}

inline void write_picture(const std::filesystem::path& file, const at::Tensor& image_HWC) {
  std::filesystem::create_directories(file.parent_path());
  write_png(file, image_HWC);
}

/// ROOT/OUTER/CLASS/N.png with picture(N), N counting up from 0.
inline void write_class_folders(const std::filesystem::path& root,
                                const std::vector<std::string>& outers,
                                const std::vector<std::string>& classes, int64_t each = 2) {
  int64_t number = 0;
  for (const auto& outer : outers) {
    for (const auto& name : classes) {
      for (int64_t i = 0; i < each; ++i, ++number)
        write_picture(root / outer / name / (std::to_string(number) + ".png"), picture(number));
    }
  }
}

inline bool decoder_or_warn() {
  if (!has_image_decoder()) WARN("no image decoder in this build: skipped");
  return has_image_decoder();
}

}  // namespace switchyard::test
