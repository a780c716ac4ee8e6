#include "core/train/signals.h"

#include <csignal>

namespace switchyard {
namespace {

volatile std::sig_atomic_t caught = 0;
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1};
struct sigaction previous[3];

void remember(int signal) { caught = signal; }

}  // namespace

SignalWatch::SignalWatch() {
  caught = 0;
  for (int i = 0; i < 3; ++i) {
    struct sigaction action = {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | (kSignals[i] == SIGINT ? static_cast<int>(SA_RESETHAND) : 0);
    ::sigaction(kSignals[i], &action, &previous[i]);
  }
}

SignalWatch::~SignalWatch() {
  for (int i = 0; i < 3; ++i) ::sigaction(kSignals[i], &previous[i], nullptr);
}

bool SignalWatch::requested() const { return caught != 0; }

}  // namespace switchyard
