#pragma once

namespace switchyard {

/// Catches SIGINT, SIGTERM and SIGUSR1 while it lives and remembers that one came. A second SIGINT
/// ends the program at once. One at a time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  bool requested() const;
};

}  // namespace switchyard
