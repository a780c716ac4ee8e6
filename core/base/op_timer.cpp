#include "core/base/op_timer.h"

#include <ATen/record_function.h>

#include "core/base/error.h"

namespace switchyard {
namespace {

OpTimer* installed = nullptr;

/// "ExpertMlp, gradient" of "torch::autograd::CppNode<switchyard::(anonymous
/// namespace)::ExpertMlp>".
std::string readable(const std::string& name) {
  if (name.find("CppNode<") == std::string::npos) return name;
  const size_t begin = name.rfind("::") + 2;
  return name.substr(begin, name.size() - 1 - begin) + ", gradient";
}

}  // namespace

OpTimer::OpTimer(std::function<void()> drain) : drain_(std::move(drain)) {
  check(installed == nullptr, "OpTimer", "there is one already");
  installed = this;
  const auto start = [](const at::RecordFunction& op) -> std::unique_ptr<at::ObserverContext> {
    if (installed->drain_) installed->drain_();
    installed->of_this_thread().enter(op.name());
    return nullptr;
  };
  const auto end = [](const at::RecordFunction&, at::ObserverContext*) {
    if (installed->drain_) installed->drain_();
    installed->of_this_thread().leave();
  };
  callback_ = at::addGlobalCallback(
      at::RecordFunctionCallback(start, end)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

OpTimer::~OpTimer() {
  at::removeCallback(callback_);
  installed = nullptr;
}

StepTimer& OpTimer::of_this_thread() {
  const std::lock_guard lock(mutex_);
  return threads_[std::this_thread::get_id()];
}

StepTimer OpTimer::total() const {
  const std::lock_guard lock(mutex_);
  StepTimer out;
  for (const auto& [thread, timer] : threads_) {
    for (StepTimer::Row row : timer.rows()) {
      row.name = readable(row.name);
      out.add(row);
    }
  }
  return out;
}

}  // namespace switchyard
