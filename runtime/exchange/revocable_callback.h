// A callback that can be taken away: once Set has returned, the former one does not run any more.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace watershed {

// Thread-safe. The callback must not call Set.
class RevocableCallback {
 public:
  void Set(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    callback_ = std::move(callback);
  }
  void Call() {
    const std::lock_guard lock(mutex_);
    if (callback_) callback_();
  }

 private:
  std::mutex mutex_;
  std::function<void()> callback_;
};

}  // namespace watershed
