#include "runtime/exchange/local_channel.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "runtime/exchange/revocable_callback.h"

namespace watershed {
namespace {

int64_t RowBytes(const StreamElement& element) {
  const auto* batch = std::get_if<RecordBatch>(&element);
  return batch == nullptr ? 0 : std::max<int64_t>(batch->byte_size(), 1);
}

class Queue {
 public:
  explicit Queue(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  bool TryPush(StreamElement& element) {
    {
      const std::lock_guard lock(mutex_);
      if (receiver_closed_) return true;
      const int64_t bytes = RowBytes(element);
      if (bytes != 0 && queued_bytes_ != 0 && queued_bytes_ + bytes > capacity_bytes_) {
        sender_waits_ = true;
        return false;
      }
      queued_bytes_ += bytes;
      elements_.push_back(std::move(element));
      if (elements_.size() > 1) return true;
    }
    on_readable_.Call();
    return true;
  }

  bool Writable() {
    const std::lock_guard lock(mutex_);
    // Once said no, it stays no until on_writable: else a sender whose batch does not fit would
    // spin.
    if (queued_bytes_ != 0 && queued_bytes_ >= capacity_bytes_) sender_waits_ = true;
    return !sender_waits_;
  }

  std::optional<StreamElement> TryPop() {
    std::optional<StreamElement> element;
    {
      const std::lock_guard lock(mutex_);
      if (elements_.empty()) return element;
      element = std::move(elements_.front());
      elements_.pop_front();
      queued_bytes_ -= RowBytes(*element);
      if (!sender_waits_ || queued_bytes_ > capacity_bytes_ / 2) return element;
      sender_waits_ = false;
    }
    on_writable_.Call();
    return element;
  }

  void SetOnReadable(std::function<void()> on_readable) {
    on_readable_.Set(std::move(on_readable));
    bool holds_elements = false;
    {
      const std::lock_guard lock(mutex_);
      holds_elements = !elements_.empty();
    }
    if (holds_elements) on_readable_.Call();
  }
  void SetOnWritable(std::function<void()> on_writable) {
    on_writable_.Set(std::move(on_writable));
  }

  void CloseSender() { on_writable_.Set(nullptr); }
  void CloseReceiver() {
    on_readable_.Set(nullptr);
    std::deque<StreamElement> dropped;  // destroyed without the lock
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(receiver_closed_, true)) return;
      dropped.swap(elements_);
      queued_bytes_ = 0;
      if (!std::exchange(sender_waits_, false)) return;
    }
    on_writable_.Call();
  }

 private:
  const int64_t capacity_bytes_;
  std::mutex mutex_;
  std::deque<StreamElement> elements_;
  int64_t queued_bytes_ = 0;
  bool sender_waits_ = false;
  bool receiver_closed_ = false;
  RevocableCallback on_readable_;
  RevocableCallback on_writable_;
};

class LocalSender final : public ChannelSender {
 public:
  explicit LocalSender(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
  ~LocalSender() override { queue_->CloseSender(); }
  bool TryPush(StreamElement& element) override { return queue_->TryPush(element); }
  bool Writable() const override { return queue_->Writable(); }
  void SetOnWritable(std::function<void()> on_writable) override {
    queue_->SetOnWritable(std::move(on_writable));
  }
  void Close() override { queue_->CloseSender(); }

 private:
  const std::shared_ptr<Queue> queue_;
};

class LocalReceiver final : public ChannelReceiver {
 public:
  explicit LocalReceiver(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
  ~LocalReceiver() override { queue_->CloseReceiver(); }
  std::optional<StreamElement> TryPop() override { return queue_->TryPop(); }
  void SetOnReadable(std::function<void()> on_readable) override {
    queue_->SetOnReadable(std::move(on_readable));
  }
  void Close() override { queue_->CloseReceiver(); }

 private:
  const std::shared_ptr<Queue> queue_;
};

}  // namespace

LocalChannel MakeLocalChannel(int64_t capacity_bytes) {
  auto queue = std::make_shared<Queue>(capacity_bytes);
  return {std::make_unique<LocalSender>(queue), std::make_unique<LocalReceiver>(queue)};
}

}  // namespace watershed
