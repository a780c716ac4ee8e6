#include "core/train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace switchyard {
namespace {

constexpr int64_t kQuietSteps = 20;
constexpr int kBarWidth = 24;

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + .5);
  char text[32];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
  return text;
}

std::string bar(int64_t step, int64_t last) {
  const auto filled =
      static_cast<size_t>(kBarWidth * std::min(step, last) / std::max<int64_t>(last, 1));
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "] ";
}

}  // namespace

Progress::Progress(int64_t first_step, int64_t last_step, bool show)
    : first_(first_step),
      last_(last_step),
      show_(show),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()) {}

Progress::~Progress() {
  if (drawn_) std::fputc('\n', stderr);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

double Progress::speed(int64_t step) const {
  return static_cast<double>(step - first_) / std::max(seconds(), 1e-9);
}

std::string Progress::line(int64_t step, int64_t last, double loss, double lr, double speed) {
  char text[160];
  std::snprintf(text, sizeof text, "step %lld/%lld  loss %.5g  lr %.3g",
                static_cast<long long>(step), static_cast<long long>(last), loss, lr);
  std::string out = text;
  if (speed <= 0) return out;
  std::snprintf(text, sizeof text, "  %.3g steps/s  ", speed);
  return out + text + duration(static_cast<double>(last - step) / speed) + " left";
}

void Progress::update(int64_t step, double loss, double lr, bool logged) {
  if (!show_ || (!terminal_ && !logged)) return;
  const auto now = Clock::now();
  if (terminal_ && step < last_ && now - redrawn_ < std::chrono::milliseconds(100)) return;
  redrawn_ = now;
  const std::string text =
      line(step, last_, loss, lr, step - first_ >= kQuietSteps ? speed(step) : 0);
  if (terminal_)
    std::fprintf(stderr, "\r%s%s\x1b[K", bar(step, last_).c_str(), text.c_str());
  else
    std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
  drawn_ = terminal_;
}

}  // namespace switchyard
