#include "core/moe/balance.h"

namespace switchyard {

at::Tensor BalanceState::add(const std::string& site, const at::Tensor& count_E) {
  auto& sum = counts_[site];
  sum = sum.defined() ? sum + count_E : count_E;
  return sum;
}

}  // namespace switchyard
