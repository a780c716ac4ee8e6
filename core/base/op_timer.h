#pragma once
// Which tensor operators a piece of work spends its time in, gradients included.

#include <functional>
#include <memory>

#include "core/base/step_timer.h"

namespace switchyard {

/// Counts the operators of all threads while it lives: self time, by name; the kernels of this
/// program count for the gradient function they run in, and are missed elsewhere. One at a time.
/// Other threads may be inside an operator when it begins and ends.
class OpTimer {
 public:
  /// `drain` waits for the device; it is called before and after every operator, so that an
  /// operator's time is its own. Empty: host time.
  explicit OpTimer(std::function<void()> drain);
  ~OpTimer();
  OpTimer(const OpTimer&) = delete;
  OpTimer& operator=(const OpTimer&) = delete;

  /// Sum over the threads.
  StepTimer total() const;

  class Threads;

 private:
  std::shared_ptr<Threads> threads_;
  uint64_t callback_ = 0;
};

}  // namespace switchyard
