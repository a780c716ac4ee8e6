#include "datasets/image/normalize.h"

#include <ATen/TensorOperators.h>

#include "core/base/error.h"

namespace switchyard {

const std::vector<std::string>& normalize_rules() {
  static const std::vector<std::string> names = {"half", "adm"};
  return names;
}

at::Tensor normalize_image(const at::Tensor& image, const std::string& rule) {
  check_name("normalize_image", "rule", rule, normalize_rules());
  check(image.scalar_type() == at::kByte, "normalize_image", "wrong type: got ",
        c10::toString(image.scalar_type()), ", expected uint8");
  const at::Tensor u = image.to(at::kFloat);
  return rule == "half" ? (u / 255 - .5) / .5 : u / 127.5 - 1;
}

const std::vector<std::string>& to_uint8_rules() {
  static const std::vector<std::string> names = {"dit", "adm", "save_image", "diffusers"};
  return names;
}

at::Tensor to_uint8(const at::Tensor& values, const std::string& rule) {
  check_name("to_uint8", "rule", rule, to_uint8_rules());
  check(values.is_floating_point(), "to_uint8", "wrong type: got ",
        c10::toString(values.scalar_type()), ", expected floating point");
  const at::Tensor x = values.detach().to(at::kFloat).nan_to_num(-2);
  at::Tensor level;
  if (rule == "dit") {
    level = x * 127.5 + 128;
  } else if (rule == "adm") {
    level = (x + 1) * 127.5;
  } else if (rule == "save_image") {
    level = (x.clamp(-1, 1) + 1) / 2 * 255 + .5;
  } else {
    level = ((x / 2 + .5).clamp(0, 1) * 255).round();
  }
  return level.clamp(0, 255).to(at::kByte);
}

}  // namespace switchyard
