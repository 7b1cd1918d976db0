// The one write under way on a gRPC stream and what waits behind it. gRPC takes one write at a
// time, may complete it on the calling thread, and must not be given another after the stream's
// end.
#pragma once

#include <deque>
#include <mutex>
#include <utility>

namespace watershed {

// Call Offer from any thread, Completed from OnWriteDone, Stop once nothing may be written any
// more. The returned pointers stay valid until the matching Completed; null means: nothing to
// start.
template <typename Message>
class WriteQueue {
 public:
  // The message to start writing now, if none is under way.
  Message* Offer(Message message) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return nullptr;
    waiting_.push_back(std::move(message));
    return writing_ ? nullptr : StartNext();
  }
  Message* Completed() {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    return stopped_ || waiting_.empty() ? nullptr : StartNext();
  }
  // Drops what waits.
  void Stop() {
    std::deque<Message> dropped;
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
  }
  // True once, for whoever is to finish the stream: stopped, and no write under way.
  bool TakeFinish() {
    const std::lock_guard lock(mutex_);
    if (!stopped_ || writing_ || finished_) return false;
    finished_ = true;
    return true;
  }

 private:
  Message* StartNext() {
    writing_ = true;
    current_ = std::move(waiting_.front());
    waiting_.pop_front();
    return &current_;
  }

  std::mutex mutex_;
  std::deque<Message> waiting_;
  Message current_;
  bool writing_ = false;
  bool stopped_ = false;
  bool finished_ = false;
};

}  // namespace watershed
