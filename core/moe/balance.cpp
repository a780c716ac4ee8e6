#include "core/moe/balance.h"

namespace switchyard {

at::Tensor BalanceState::add(const std::string& counter, const at::Tensor& count_E) {
  auto& sum = counts_[counter];
  sum = sum.defined() ? sum + count_E : count_E;
  return sum;
}

at::Tensor BalanceState::add_global(const std::string& counter, const at::Tensor& count_E) {
  const auto own = add(counter, count_E);
  return sum_over_ranks_ ? sum_over_ranks_(own) : own;
}

}  // namespace switchyard
