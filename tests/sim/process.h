// What stands for a process and its threads: it stops in the middle when it is killed, and all of
// it waits while it is frozen (as by SIGSTOP, or a machine that swaps).
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/serial_runner.h"
#include "runtime/process/executor.h"
#include "runtime/process/work_runner.h"
#include "tests/sim/machine_clock.h"
#include "tests/sim/schedule.h"

namespace watershed::sim {

class Process : public std::enable_shared_from_this<Process> {
 public:
  Process(Schedule* schedule, const MachineClock* clock, std::string name)
      : schedule_(schedule), clock_(clock), name_(std::move(name)) {}

  // Dropped when the process is killed before.
  void After(nanoseconds delay, std::function<void()> run) { Wait(delay, std::move(run), false); }
  // The same, by the machine's steady clock.
  void AfterOnItsClock(nanoseconds delay, std::function<void()> run) {
    Wait(clock_->TrueTime(delay), std::move(run), true);
  }
  // What was going to run is gone, destroyed now; what owns it may be destroyed afterwards.
  void Kill();
  void Freeze(nanoseconds duration);
  bool alive() const { return alive_; }
  bool frozen() const { return schedule_->Steady() < frozen_until_; }
  // By its steady clock, how long it has not been frozen: differences count.
  nanoseconds awake() const { return clock_->OwnTime(schedule_->Steady() - frozen_); }

  const std::string& name() const { return name_; }
  Schedule& schedule() { return *schedule_; }
  Random& random() { return schedule_->random(); }
  const Clock& clock() const { return *clock_; }

 private:
  struct Event {
    std::function<void()> run;
    bool is_timer = false;
  };
  void Wait(nanoseconds delay, std::function<void()> run, bool is_timer);
  void OnDue(uint64_t number);
  void Thaw();
  void Run(uint64_t number);

  Schedule* const schedule_;
  const MachineClock* const clock_;
  const std::string name_;
  bool alive_ = true;
  nanoseconds frozen_until_{0};
  nanoseconds frozen_{0};  // in all, up to frozen_until_
  uint64_t numbers_ = 0;
  std::map<uint64_t, Event> waiting_;
  std::vector<uint64_t> held_;  // due while it was frozen
};

// An event loop. In order, as the real one.
class ProcessExecutor final : public Executor {
 public:
  explicit ProcessExecutor(Process* process) : process_(process) {}
  void Post(std::function<void()> task) override;
  TimerId PostAfter(milliseconds delay, std::function<void()> task) override;
  void CancelTimer(TimerId timer) override { timers_.erase(timer); }
  void Clear();  // once the process has been killed

 private:
  Process* const process_;
  std::deque<std::function<void()>> queue_;
  TimerId last_timer_ = 0;
  std::map<TimerId, std::function<void()>> timers_;
};

// A pool of threads that do what blocks: any of it may be done before the rest.
class ProcessWorkRunner final : public WorkRunner {
 public:
  using Latency = std::function<nanoseconds()>;
  ProcessWorkRunner(Process* process, Latency latency)
      : process_(process), latency_(std::move(latency)) {}
  void Run(std::function<void()> work) override { process_->After(latency_(), std::move(work)); }

 private:
  Process* const process_;
  const Latency latency_;
};

// The blocking calls of the sinks of one process. A call that is under way when its task or its
// process ends may still reach the target.
class SinkThreads {
 public:
  SinkThreads(Process* process, ProcessWorkRunner::Latency latency)
      : process_(process), latency_(std::move(latency)) {}

  std::unique_ptr<SerialRunner> Make();
  // `run` comes while the next call of any of them is under way, once.
  void DuringNextCall(std::function<void()> run) { during_next_call_ = std::move(run); }
  // Before the process is killed: some of what is under way comes to its end, unheard.
  void FinishSome();

 private:
  class Runner;
  struct Thread;
  static void StartNext(const std::shared_ptr<Thread>& thread);

  Process* const process_;
  const ProcessWorkRunner::Latency latency_;
  std::vector<std::weak_ptr<Thread>> threads_;
  std::function<void()> during_next_call_;
};

}  // namespace watershed::sim
