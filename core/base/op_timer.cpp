#include "core/base/op_timer.h"

#include <ATen/record_function.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "core/base/error.h"

namespace switchyard {
namespace {

/// "ExpertMlp, gradient" of "torch::autograd::CppNode<switchyard::(anonymous
/// namespace)::ExpertMlp>".
std::string readable(const std::string& name) {
  if (name.find("CppNode<") == std::string::npos) return name;
  const size_t begin = name.rfind("::") + 2;
  return name.substr(begin, name.size() - 1 - begin) + ", gradient";
}

}  // namespace

/// The timers of all threads. Operators that are under way keep it alive.
class OpTimer::Threads {
 public:
  explicit Threads(std::function<void()> drain) : drain_(std::move(drain)) {}

  void enter(const char* name) {
    if (drain_) drain_();
    const std::lock_guard lock(mutex_);
    timers_[std::this_thread::get_id()].enter(name);
  }
  void leave() {
    if (drain_) drain_();
    const std::lock_guard lock(mutex_);
    timers_[std::this_thread::get_id()].leave();
  }
  StepTimer total() const {
    const std::lock_guard lock(mutex_);
    StepTimer out;
    for (const auto& [thread, timer] : timers_) {
      for (StepTimer::Row row : timer.rows()) {
        row.name = readable(row.name);
        out.add(row);
      }
    }
    return out;
  }

 private:
  std::function<void()> drain_;
  mutable std::mutex mutex_;
  std::map<std::thread::id, StepTimer> timers_;
};

namespace {

std::atomic<std::shared_ptr<OpTimer::Threads>> installed;

/// Where the end of an operator goes: to the timer that saw its start.
struct Running : at::ObserverContext {
  explicit Running(std::shared_ptr<OpTimer::Threads> to) : threads(std::move(to)) {}
  std::shared_ptr<OpTimer::Threads> threads;
};

std::unique_ptr<at::ObserverContext> op_starts(const at::RecordFunction& op) {
  auto threads = installed.load();
  if (!threads) return nullptr;
  threads->enter(op.name());
  return std::make_unique<Running>(std::move(threads));
}

void op_ends(const at::RecordFunction&, at::ObserverContext* context) {
  if (context) static_cast<Running*>(context)->threads->leave();
}

}  // namespace

OpTimer::OpTimer(std::function<void()> drain)
    : threads_(std::make_shared<Threads>(std::move(drain))) {
  check(installed.load() == nullptr, "OpTimer", "there is one already");
  installed.store(threads_);
  callback_ = at::addGlobalCallback(
      at::RecordFunctionCallback(op_starts, op_ends)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

OpTimer::~OpTimer() {
  at::removeCallback(callback_);
  installed.store({});
}

StepTimer OpTimer::total() const { return threads_->total(); }

}  // namespace switchyard
