#include "core/bench/stopwatch.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <cmath>

#include "core/train/runtime.h"

namespace switchyard {
namespace {

constexpr int64_t kFlushBytes = 256 << 20;
constexpr double kWarmUp = .025, kTotal = .1;

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Timings time_wall(const std::function<void()>& run, int64_t repeats) {
  Timings out;
  for (int64_t i = 0; i < repeats; ++i) {
    const auto begin = Clock::now();
    run();
    out.seconds.push_back(since(begin));
  }
  return out;
}

}  // namespace

double Timings::quantile(double q) const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<size_t>(std::floor(q * static_cast<double>(sorted.size() - 1) + .5))];
}

void Timings::append(const Timings& other) {
  seconds.insert(seconds.end(), other.seconds.begin(), other.seconds.end());
}

Stopwatch::Stopwatch(at::Device device) : device_(device) {
  if (device.is_cuda())
    flush_ = at::empty({kFlushBytes}, at::TensorOptions(device).dtype(at::kByte));
}

double Stopwatch::warm_up(const std::function<void()>& run) {
  run();
  synchronize(device_);
  const auto begin = Clock::now();
  int64_t runs = 0;
  for (; runs < 2 || since(begin) < kWarmUp; ++runs) {
    run();
    synchronize(device_);
  }
  return since(begin) / static_cast<double>(runs);
}

Timings Stopwatch::time_events(const std::function<void()>& run, int64_t repeats) {
  const auto stream = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  std::vector<c10::Event> begin, end;
  for (int64_t i = 0; i < repeats; ++i) {
    begin.emplace_back(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    end.emplace_back(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    flush_.zero_();
    begin.back().record(stream);
    run();
    end.back().record(stream);
  }
  synchronize(device_);
  Timings out;
  for (size_t i = 0; i < begin.size(); ++i)
    out.seconds.push_back(1e-3 * begin[i].elapsedTime(end[i]));
  return out;
}

Timings Stopwatch::time(const std::function<void()>& run) {
  const double each = warm_up(run);
  const auto repeats = static_cast<int64_t>(std::clamp(kTotal / each, 5., 20.));
  return device_.is_cuda() ? time_events(run, repeats) : time_wall(run, repeats);
}

}  // namespace switchyard
