#include "datasets/image/golden.h"

#include "datasets/image/opencv_decode.h"
#include "domains/diffusion/golden.h"
#include "tests/support/golden.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

std::vector<std::string> kinds() {
  std::vector<std::string> out = {"image_resize", "image_center_crop", "image_normalize",
                                  "image_to_uint8", "image_convert"};
  if (has_image_decoder()) out.emplace_back("image_decode");
  return out;
}

void register_both() {
  register_diffusion_golden();
  register_image_golden();
}

}  // namespace

TEST_CASE("images are read, resized, cropped and converted as by the published code",
          "[image][golden]") {
  register_both();
  check_golden((data_dir() / "golden/diffusion").string(), kinds());
  if (const char* folder = variable_or_warn("SWITCHYARD_GOLDEN"))
    check_golden(std::string(folder) + "/diffusion", kinds());
}

TEST_CASE("one wrong value fails a case of every kind of images", "[image][golden]") {
  register_both();
  const std::string name =
      GENERATE("image_resize_gray", "image_center_crop_small", "image_flip_normalize",
               "image_to_uint8", "image_convert", "image_decode_formats");
  if (name == "image_decode_formats" && !has_image_decoder()) return;
  check_notices_faults(data_dir() / "golden/diffusion" / (name + ".safetensors"));
}
