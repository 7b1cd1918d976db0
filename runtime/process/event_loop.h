// An Executor on a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "runtime/process/executor.h"

namespace watershed {

class EventLoop final : public Executor {
 public:
  explicit EventLoop(const std::string& thread_name);
  ~EventLoop() override;  // Stop

  void Post(std::function<void()> task) override;
  TimerId PostAfter(std::chrono::milliseconds delay, std::function<void()> task) override;
  void CancelTimer(TimerId timer) override;

  // Ends after the task that is running; what is queued is dropped. Not from the loop itself.
  void Stop();
  bool InLoop() const { return std::this_thread::get_id() == thread_.get_id(); }

  // Runs `function` in the loop and waits for it; directly when called from the loop. False,
  // without running it, when the loop has stopped.
  bool RunAndWait(const std::function<void()>& function);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, TimePoint> deadlines_;
  TimerId next_timer_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace watershed
