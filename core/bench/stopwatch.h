#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace switchyard {

/// Seconds of the repeats of one run, in order.
struct Timings {
  std::vector<double> seconds;

  double quantile(double q) const;
  double median() const { return quantile(.5); }
  void append(const Timings& other);
};

/// Times work on one device: on a GPU by events, with 256 MB overwritten before every repeat so
/// that its L2 cache is cold; on the CPU by the wall clock.
class Stopwatch {
 public:
  explicit Stopwatch(at::Device device);
  /// Warms up for at least 25 ms, then repeats for about 100 ms: 5 to 20 times.
  Timings time(const std::function<void()>& run);

 private:
  double warm_up(const std::function<void()>& run);
  Timings time_events(const std::function<void()>& run, int64_t repeats);

  at::Device device_;
  at::Tensor flush_;
};

}  // namespace switchyard
