#include "core/train/batch_feed.h"

namespace switchyard {

BatchFeed::BatchFeed(std::unique_ptr<BatchSource> source, bool prefetch)
    : source_(std::move(source)) {
  if (prefetch) thread_ = std::thread([this] { work(); });
}

BatchFeed::~BatchFeed() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

BatchFeed::Item BatchFeed::build() {
  Item item{source_->next(), 0};
  check(item.batch != nullptr, "trainer", "the training source ended: got no batch at position ",
        source_->state(), ", expected an endless source");
  item.state = source_->state();
  return item;
}

void BatchFeed::work() {
  for (;;) {
    Item item;
    std::exception_ptr error;
    try {
      item = build();
    } catch (...) {
      error = std::current_exception();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stop_ || ready_.size() < kAhead; });
    if (stop_) return;
    error ? void(error_ = error) : ready_.push_back(std::move(item));
    changed_.notify_all();
    if (error) return;
  }
}

BatchFeed::Item BatchFeed::next() {
  if (!thread_.joinable()) return build();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty() || error_; });
  if (ready_.empty()) std::rethrow_exception(error_);
  Item item = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return item;
}

std::unique_ptr<Batch> RepeatedSource::next() {
  source_->restore(position_++ % count_);
  return source_->next();
}

}  // namespace switchyard
