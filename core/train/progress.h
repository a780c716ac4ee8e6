#pragma once

#include <chrono>
#include <string>

namespace switchyard {

/// Shows how far training is, on stderr: a bar that redraws itself on a terminal, else plain lines
/// at the log's cadence. Speed and time left appear once 20 steps of this process are done.
class Progress {
 public:
  Progress(int64_t first_step, int64_t last_step, bool show);
  ~Progress();
  /// After each step; `logged`: this step is written to the log.
  void update(int64_t step, double loss, double lr, bool logged);
  /// Steps per second of this process so far.
  double speed(int64_t step) const;
  double seconds() const;
  /// "step 120/1000  loss 0.1234  lr 0.001  12.3 steps/s  1:12 left"; speed 0: not yet known.
  static std::string line(int64_t step, int64_t last, double loss, double lr, double speed);

 private:
  using Clock = std::chrono::steady_clock;
  int64_t first_, last_;
  bool show_, terminal_, drawn_ = false;
  Clock::time_point start_, redrawn_;
};

}  // namespace switchyard
