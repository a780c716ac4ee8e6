#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "core/train/task.h"

namespace switchyard {

/// Hands out the batches of a source in order, each with the source's position behind it (what a
/// checkpoint stores). With `prefetch` a thread builds up to two batches ahead; order and content
/// are the same either way.
class BatchFeed {
 public:
  struct Item {
    std::unique_ptr<Batch> batch;
    int64_t state = 0;
  };
  /// Owns the source from now on; nobody else may call it.
  BatchFeed(std::unique_ptr<BatchSource> source, bool prefetch);
  ~BatchFeed();
  BatchFeed(const BatchFeed&) = delete;
  BatchFeed& operator=(const BatchFeed&) = delete;

  /// Errors: whatever the source throws; a source that ends.
  Item next();

 private:
  Item build();
  void work();

  static constexpr size_t kAhead = 2;
  std::unique_ptr<BatchSource> source_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> ready_;
  std::exception_ptr error_;
  bool stop_ = false;
  std::thread thread_;
};

/// The first `count` batches of a source again and again.
class RepeatedSource : public BatchSource {
 public:
  RepeatedSource(std::unique_ptr<BatchSource> source, int64_t count)
      : source_(std::move(source)), count_(count) {}
  std::unique_ptr<Batch> next() override;
  int64_t state() const override { return position_; }
  void restore(int64_t batches) override { position_ = batches; }

 private:
  std::unique_ptr<BatchSource> source_;
  int64_t count_, position_ = 0;
};

}  // namespace switchyard
