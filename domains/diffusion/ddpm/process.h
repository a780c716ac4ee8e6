#pragma once
// The forward process q, its posterior, and the reverse step p that a network's output describes
// (Ho et al. 2020; learned range: Nichol, Dhariwal 2021).

#include <vector>

#include "domains/diffusion/ddpm/schedule.h"

namespace switchyard {

enum class DdpmPredict { Eps, X0 };
/// FixedSmall: of the posterior. FixedLarge: beta_t, at t = 0 the posterior's of t = 1.
/// LearnedRange: channels C .. 2C-1 of the output hold v; log variance = low + (v + 1) / 2 (log
/// beta - low), low the clipped log variance of the posterior; v is not clamped.
enum class DdpmVariance { FixedSmall, FixedLarge, LearnedRange };

/// A diagonal Gaussian over [B, C, S, S] (variances may be [B, 1, 1, 1]).
struct Gaussian {
  at::Tensor mean, variance, log_variance;
};
/// p(x_{t-1} | x_t), with the image that it points to.
struct ReverseStep : Gaussian {
  at::Tensor x0;
};

/// Coefficients come from tables in double and are cast once. t_B: [B] i64, 0 .. steps()-1; it
/// counts the kept steps.
class DdpmProcess {
 public:
  /// `schedule`, `steps`: as for ddpm_betas(); `respacing`: as for kept_steps().
  DdpmProcess(const std::string& schedule, int64_t steps, const std::string& respacing,
              DdpmPredict predict, DdpmVariance variance);

  int64_t steps() const { return static_cast<int64_t>(timesteps_.size()); }
  /// Step i is this one of the original process.
  const std::vector<int64_t>& timesteps() const { return timesteps_; }
  /// The same in 0 .. 1000, whatever the original number of steps.
  double time(int64_t i) const { return time_[i].item<double>(); }
  /// For steps t_B, [B] in the type and place of `like`.
  at::Tensor times(const at::Tensor& t_B, const at::Tensor& like) const;
  const DdpmTables& tables() const { return tables_; }
  DdpmPredict predict() const { return predict_; }
  bool learns_variance() const { return variance_ == DdpmVariance::LearnedRange; }

  /// q(x_t | x_0).
  Gaussian forward(const at::Tensor& x0, const at::Tensor& t_B) const;
  at::Tensor noisy(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& t_B) const;
  /// q(x_{t-1} | x_t, x_0); its log variance is the clipped one.
  Gaussian posterior(const at::Tensor& x0, const at::Tensor& x_t, const at::Tensor& t_B) const;
  at::Tensor x0_from_eps(const at::Tensor& x_t, const at::Tensor& eps, const at::Tensor& t_B) const;
  at::Tensor eps_from_x0(const at::Tensor& x_t, const at::Tensor& x0, const at::Tensor& t_B) const;
  /// `out`: the network's, [B, >= C, S, S], at least 2C channels for a learned variance. `clip`: x0
  /// into [-1, 1]. Errors: too few channels.
  ReverseStep reverse(const at::Tensor& out, const at::Tensor& x_t, const at::Tensor& t_B,
                      bool clip) const;

  /// Entries t_B of a table of tables(), [B, 1, 1, 1] in the type and place of `like`.
  static at::Tensor at_steps(const at::Tensor& table, const at::Tensor& t_B,
                             const at::Tensor& like);

 private:
  /// Sets variance and log_variance.
  void set_variance(const at::Tensor& out, const at::Tensor& x_t, const at::Tensor& t_B,
                    Gaussian& step) const;

  std::vector<int64_t> timesteps_;
  at::Tensor time_;  ///< [T] f64
  DdpmTables tables_;
  at::Tensor large_variance_;  ///< [T] of FixedLarge
  DdpmPredict predict_;
  DdpmVariance variance_;
};

}  // namespace switchyard
