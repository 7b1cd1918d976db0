// An Executor and its clock that a test moves by hand.
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "runtime/process/executor.h"
#include "runtime/types/clock.h"

namespace watershed {

// One thread. Time stands still until Advance.
class SteppedExecutor final : public Executor, public Clock {
 public:
  void Post(std::function<void()> task) override { queue_.push_back(std::move(task)); }
  TimerId PostAfter(std::chrono::milliseconds delay, std::function<void()> task) override {
    timers_.emplace(std::pair(now_ms_ + delay.count(), ++last_timer_), std::move(task));
    return last_timer_;
  }
  void CancelTimer(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }
  int64_t NowMs() const override { return now_ms_ + wall_off_ms_; }
  std::chrono::nanoseconds Steady() const override { return std::chrono::milliseconds(now_ms_); }

  // Runs what has been posted, and what that posts.
  void RunAll() {
    while (!queue_.empty()) RunOne();
  }
  // Runs the first of what has been posted.
  void RunOne() {
    const auto task = std::move(queue_.front());
    queue_.pop_front();
    task();
  }
  // Lets time pass, with every timer at its moment.
  void Advance(std::chrono::milliseconds duration) {
    const int64_t end = now_ms_ + duration.count();
    RunAll();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      const auto timer = timers_.extract(timers_.begin());
      now_ms_ = std::max(now_ms_, timer.key().first);
      timer.mapped()();
      RunAll();
    }
    now_ms_ = end;
  }
  // Time passes and nothing runs, as in a process that has been stopped.
  void StandStill(std::chrono::milliseconds duration) { now_ms_ += duration.count(); }
  void StepWallClock(std::chrono::milliseconds by) { wall_off_ms_ += by.count(); }

 private:
  std::deque<std::function<void()>> queue_;
  std::map<std::pair<int64_t, TimerId>, std::function<void()>> timers_;
  TimerId last_timer_ = 0;
  int64_t now_ms_ = 1'000'000;
  int64_t wall_off_ms_ = 0;
};

}  // namespace watershed
