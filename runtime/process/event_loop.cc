#include "runtime/process/event_loop.h"

#include <pthread.h>

#include <future>
#include <memory>

namespace watershed {

EventLoop::EventLoop(const std::string& thread_name) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), thread_name.substr(0, 15).c_str());
}

EventLoop::~EventLoop() { Stop(); }

void EventLoop::Post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(task));
  wake_.notify_one();
}

Executor::TimerId EventLoop::PostAfter(std::chrono::milliseconds delay,
                                       std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return 0;
  const TimePoint deadline = std::chrono::steady_clock::now() + delay;
  const TimerId timer = next_timer_++;
  timers_.emplace(std::pair(deadline, timer), std::move(task));
  deadlines_.emplace(timer, deadline);
  wake_.notify_one();
  return timer;
}

void EventLoop::CancelTimer(TimerId timer) {
  std::function<void()> dropped;  // its captures are released outside of the lock
  const std::lock_guard lock(mutex_);
  const auto deadline = deadlines_.find(timer);
  if (deadline == deadlines_.end()) return;
  const auto entry = timers_.find(std::pair(deadline->second, timer));
  dropped = std::move(entry->second);
  timers_.erase(entry);
  deadlines_.erase(deadline);
}

void EventLoop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  // What was queued may own what posts again while it dies: release it outside of the lock.
  std::deque<std::function<void()>> queue;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers;
  const std::lock_guard lock(mutex_);
  queue.swap(queue_);
  timers.swap(timers_);
}

bool EventLoop::RunAndWait(const std::function<void()>& function) {
  if (InLoop()) {
    function();
    return true;
  }
  // A task dropped at Stop breaks its promise, which wakes the caller.
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> finished = done->get_future();
  Post([&function, done = std::move(done)] {
    function();
    done->set_value();
  });
  try {
    finished.get();
    return true;
  } catch (const std::future_error&) {
    return false;
  }
}

void EventLoop::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!timers_.empty() && timers_.begin()->first.first <= std::chrono::steady_clock::now()) {
      auto entry = timers_.extract(timers_.begin());
      deadlines_.erase(entry.key().second);
      queue_.push_back(std::move(entry.mapped()));
    }
    if (queue_.empty()) {
      if (timers_.empty()) {
        wake_.wait(lock);
      } else {
        wake_.wait_until(lock, timers_.begin()->first.first);
      }
      continue;
    }
    {
      std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }  // its captures die unlocked as well
    lock.lock();
  }
}

}  // namespace watershed
