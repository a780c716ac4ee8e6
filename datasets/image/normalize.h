#pragma once
// Between pixels 0 .. 255 and values -1 .. 1, by the rules of the published code. They differ in
// the last bit of float32 or in how they round, so each has its name.

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace switchyard {

/// "half": (u/255 - 0.5)/0.5 (torchvision's Normalize, ProMoE). "adm": u/127.5 - 1
/// (guided-diffusion).
const std::vector<std::string>& normalize_rules();
/// u8, any shape -> f32, every operation rounded to float32. Errors: unknown rule, another type.
at::Tensor normalize_image(const at::Tensor& image, const std::string& rule);

/// "dit": trunc(clamp(127.5 x + 128, 0, 255)) (DiT, ProMoE). "adm": trunc(clamp((x + 1) 127.5, 0,
/// 255)). "save_image": trunc(clamp((clamp(x, -1, 1) + 1)/2 255 + 0.5, 0, 255)) (torchvision).
/// "diffusers": round half to even(clamp(x/2 + 0.5, 0, 1) 255).
const std::vector<std::string>& to_uint8_rules();
/// Floating, any shape -> u8; computed in float32 in the written order. NaN becomes 0. Errors:
/// unknown rule, another type.
at::Tensor to_uint8(const at::Tensor& x, const std::string& rule);

}  // namespace switchyard
