#pragma once
// Classifier-free guidance (Ho, Salimans 2022): u + scale (c - u) of a conditional prediction c and
// one without condition u, as DiT and ProMoE do it, and as it should be.

#include <ATen/core/Tensor.h>

#include <functional>

#include "core/base/params.h"

namespace switchyard {

/// The network in evaluation for R rows, R a multiple of the number of images B: row r shows image
/// r mod B. x_RCSS [R, C, S, S]; t_R [R] of x's dtype, 0 .. 1000; null_R [R] bool, on x's device:
/// rows without their condition. -> [R, >= C, S, S].
using ConditionalNetwork = std::function<at::Tensor(const at::Tensor& x_RCSS, const at::Tensor& t_R,
                                                    const at::Tensor& null_R)>;

/// guidance_rule:
///   predicted  the C channels of the prediction, any scale; two passes
///   promoe     the same, but without guidance where scale <= 1
///   first3     the first three channels (DiT's published samples); one pass of 2B rows
///   all        every channel, the variance's too; one pass of 2B rows
struct GuidanceParams {
  double guidance = 1;
  std::string guidance_rule = "predicted";

  /// Adds both to the fields of a struct that inherits from this one.
  template <class S>
  static void declare_guidance(Fields<S>& f) {
    double S::*scale = &S::guidance;
    std::string S::*rule = &S::guidance_rule;
    f.add("guidance", scale, "scale of classifier-free guidance; 1: none");
    f.add("guidance_rule", rule, "channels and passes",
          Choices{{"predicted", "promoe", "first3", "all"}});
  }
};

/// Prediction for images x_BCSS at time t, guided -> [B, >= C, S, S]. Channels that are not guided
/// are those of the conditional pass. Scale 1 asks for no pass without condition.
at::Tensor guided_prediction(const ConditionalNetwork& network, const at::Tensor& x_BCSS, double t,
                             const GuidanceParams& params);

/// Channels that a rule guides of a prediction `out` for images of `predicted` channels.
int64_t guided_channels(const std::string& rule, int64_t predicted, const at::Tensor& out);
/// Of [2B, ...] rows, conditional before unconditional: the first `channels` channels guided, equal
/// in both halves; the others as they are.
at::Tensor guide_halves(const at::Tensor& out, int64_t channels, double scale);

}  // namespace switchyard
