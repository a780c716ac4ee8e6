#pragma once
// Where a step spends its time. Any layer may open a TimedScope; it costs one thread-local read
// while no timer is installed.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace switchyard {

/// Sums the time of named scopes of one thread. Time inside an inner scope counts for that one
/// only.
class StepTimer {
 public:
  struct Row {
    std::string name;
    int64_t calls = 0;
    double seconds = 0;
  };
  /// `drain` waits for the device at both ends of a scope, so that its time is its own. Empty: host
  /// time, on a GPU that of launches.
  explicit StepTimer(std::function<void()> drain = {}) : drain_(std::move(drain)) {}
  /// The timer of this thread, or nullptr.
  static StepTimer* current();
  /// Adds to the row of that name.
  void add(const Row& row);
  /// All scopes, costliest first.
  std::vector<Row> rows() const;
  /// The `count` costliest parts with calls, milliseconds per step and share of the total.
  std::string table(int64_t steps, size_t count = 5) const;

 private:
  friend class OpTimer;
  friend class TimedScope;
  friend class StepTimerInstall;
  using Clock = std::chrono::steady_clock;
  struct Open {
    const char* name;
    Clock::time_point start;
    double inner = 0;
  };
  void enter(const char* name);
  void leave();

  std::function<void()> drain_;
  std::vector<Open> open_;
  std::map<std::string, Row, std::less<>> rows_;
};

/// Makes `timer` (may be null) this thread's current one while it lives.
class StepTimerInstall {
 public:
  explicit StepTimerInstall(StepTimer* timer);
  ~StepTimerInstall();
  StepTimerInstall(const StepTimerInstall&) = delete;
  StepTimerInstall& operator=(const StepTimerInstall&) = delete;

 private:
  StepTimer* previous_;
};

/// TimedScope scope("attention"); `name` must outlive the scope.
class TimedScope {
 public:
  explicit TimedScope(const char* name) : timer_(StepTimer::current()) {
    if (timer_) timer_->enter(name);
  }
  ~TimedScope() {
    if (timer_) timer_->leave();
  }
  TimedScope(const TimedScope&) = delete;
  TimedScope& operator=(const TimedScope&) = delete;

 private:
  StepTimer* timer_;
};

}  // namespace switchyard
