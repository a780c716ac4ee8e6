#include "core/train/loss_scaler.h"

#include <limits>

namespace switchyard {

void LossScaler::update(bool finite) {
  if (!finite) {
    state_ = {state_.scale / 2, 0};
    return;
  }
  if (++state_.good_steps < kGrowthInterval) return;
  const double grown = state_.scale * 2;
  state_ = {grown <= std::numeric_limits<float>::max() ? grown : state_.scale, 0};
}

}  // namespace switchyard
