// The mailbox of a task: mail from any thread, run on the task's thread, with a timer queue on the
// steady clock. It is also the one thing a task ever waits on (as in Flink's MailboxProcessor).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/types/clock.h"
#include "runtime/types/result.h"

namespace watershed {

// A piece of work. An error it returns fails the task.
using Mail = std::function<Status()>;

class Mailbox {
 public:
  using SteadyTime = std::chrono::nanoseconds;      // of Clock::Steady
  using TimerId = std::pair<SteadyTime, uint64_t>;  // when, and a number that tells equals apart

  explicit Mailbox(const Clock* clock) : clock_(clock) {}

  // ---- Any thread ----
  // Queues mail and wakes the task. Dropped after Close.
  void Post(Mail mail);
  // Wakes the task to look around: a channel became readable or writable, a cancel was asked for.
  void Notify();

  // ---- The task's thread ----
  // Runs timers that are due and all mail there was at the start; the first error ends it.
  Status RunAll();
  TimerId AddTimer(SteadyTime at, Mail mail);
  void CancelTimer(const TimerId& timer) { timers_.erase(timer); }
  std::optional<SteadyTime> next_timer() const;
  const Clock& clock() const { return *clock_; }
  // Returns at a Notify or Post since the last return, when a timer is due, or at `deadline`.
  void Wait(std::optional<SteadyTime> deadline = std::nullopt);
  // Drops mail and timers, now and in future: the task has ended.
  void Close();

 private:
  const Clock* clock_;
  std::map<TimerId, Mail> timers_;  // the task's thread only
  uint64_t last_timer_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Mail> mail_;
  bool notified_ = false;
  bool closed_ = false;
};

}  // namespace watershed
