#include "core/base/step_timer.h"

#include <algorithm>
#include <cstdio>

namespace switchyard {
namespace {
thread_local StepTimer* installed = nullptr;
}

StepTimer* StepTimer::current() { return installed; }

void StepTimer::enter(const char* name) {
  if (drain_) drain_();
  open_.push_back({name, Clock::now()});
}

void StepTimer::add(const Row& row) {
  Row& sum = rows_.try_emplace(row.name, Row{row.name, 0, 0}).first->second;
  sum.calls += row.calls;
  sum.seconds += row.seconds;
}

void StepTimer::leave() {
  if (drain_) drain_();
  const Open scope = open_.back();
  open_.pop_back();
  const double seconds = std::chrono::duration<double>(Clock::now() - scope.start).count();
  auto found = rows_.find(scope.name);
  if (found == rows_.end()) found = rows_.emplace(scope.name, Row{scope.name, 0, 0}).first;
  ++found->second.calls;
  found->second.seconds += seconds - scope.inner;
  if (!open_.empty()) open_.back().inner += seconds;
}

std::vector<StepTimer::Row> StepTimer::rows() const {
  std::vector<Row> out;
  for (const auto& [name, row] : rows_) out.push_back(row);
  std::sort(out.begin(), out.end(),
            [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return out;
}

std::string StepTimer::table(int64_t steps, size_t count) const {
  const auto all = rows();
  double total = 0;
  for (const Row& row : all) total += row.seconds;
  char line[160];
  size_t width = 24;
  for (size_t i = 0; i < std::min(count, all.size()); ++i)
    width = std::clamp(all[i].name.size(), width, size_t{70});
  const int w = static_cast<int>(width);
  std::snprintf(line, sizeof line, "%-*s %8s %12s %7s\n", w, "part", "calls", "ms/step", "share");
  std::string out = line;
  for (size_t i = 0; i < std::min(count, all.size()); ++i) {
    const Row& row = all[i];
    std::snprintf(line, sizeof line, "%-*s %8lld %12.3f %6.1f%%\n", w, row.name.c_str(),
                  static_cast<long long>(row.calls),
                  1e3 * row.seconds / static_cast<double>(std::max<int64_t>(steps, 1)),
                  total > 0 ? 100 * row.seconds / total : 0.0);
    out += line;
  }
  return out;
}

StepTimerInstall::StepTimerInstall(StepTimer* timer) : previous_(installed) { installed = timer; }
StepTimerInstall::~StepTimerInstall() { installed = previous_; }

}  // namespace switchyard
