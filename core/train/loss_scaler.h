#pragma once

#include <cstdint>

namespace switchyard {

/// Dynamic loss scale for fp16 gradients: the rule and the constants of torch.amp.GradScaler
/// (Micikevicius et al. 2018, Mixed precision training, section 3.2). All factors are powers of
/// two, so scaling and unscaling never round.
class LossScaler {
 public:
  static constexpr double kFirstScale = 65536;
  static constexpr int64_t kGrowthInterval = 2000;

  /// What a checkpoint must hold.
  struct State {
    double scale = kFirstScale;
    int64_t good_steps = 0;  ///< since the scale last changed
  };

  LossScaler() = default;
  explicit LossScaler(const State& state) : state_(state) {}

  /// The loss is multiplied by this before backward(), the gradients divided by it after.
  double scale() const { return state_.scale; }
  /// After each step. Not finite: the scale halves. kGrowthInterval finite ones in a row: it
  /// doubles, unless it would leave the range of a float.
  void update(bool finite);
  /// False once the scale is at or below 1: then the model overflows, not the scale.
  bool can_back_off() const { return state_.scale > 1; }

  const State& state() const { return state_; }

 private:
  State state_;
};

}  // namespace switchyard
