#include "tests/sim/process.h"

namespace watershed::sim {
namespace {

// How long an event loop may take to come to what was posted.
constexpr microseconds kLongestWait{40};

}  // namespace

void Process::Wait(nanoseconds delay, std::function<void()> run, bool is_timer) {
  if (!alive_) return;
  const uint64_t number = ++numbers_;
  waiting_.emplace(number, Event{std::move(run), is_timer});
  schedule_->After(delay, [weak = weak_from_this(), number] {
    if (const auto self = weak.lock()) self->OnDue(number);
  });
}

void Process::Freeze(nanoseconds duration) {
  const nanoseconds until = schedule_->Steady() + duration;
  if (until <= frozen_until_) return;
  frozen_ += until - std::max(frozen_until_, schedule_->Steady());
  frozen_until_ = until;
}

void Process::OnDue(uint64_t number) {
  if (!waiting_.contains(number)) return;
  if (!frozen() && held_.empty()) return Run(number);
  held_.push_back(number);
  if (held_.size() == 1) Thaw();
}

// All that came meanwhile, once the process goes on: in its order, or its old timers first, which
// know nothing of what has been waiting at its doors.
void Process::Thaw() {
  if (frozen()) {
    schedule_->After(frozen_until_ - schedule_->Steady(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Thaw();
    });
    return;
  }
  std::vector<uint64_t> held = std::exchange(held_, {});
  if (random().Chance(500)) {
    std::ranges::stable_partition(held, [this](uint64_t number) {
      const auto found = waiting_.find(number);
      return found != waiting_.end() && found->second.is_timer;
    });
  }
  for (const uint64_t number : held) Run(number);
}

void Process::Run(uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  const std::function<void()> run = std::move(found->second.run);
  waiting_.erase(found);
  run();
}

void Process::Kill() {
  alive_ = false;
  while (!waiting_.empty()) waiting_.erase(waiting_.begin());
}

void ProcessExecutor::Post(std::function<void()> task) {
  if (!process_->alive()) return;
  queue_.push_back(std::move(task));
  process_->After(process_->random().Between(nanoseconds(0), kLongestWait), [this] {
    const std::function<void()> next = std::move(queue_.front());
    queue_.pop_front();
    next();
  });
}

Executor::TimerId ProcessExecutor::PostAfter(milliseconds delay, std::function<void()> task) {
  const TimerId timer = ++last_timer_;
  timers_.emplace(timer, std::move(task));
  process_->AfterOnItsClock(delay, [this, timer] {
    const auto found = timers_.find(timer);
    if (found == timers_.end()) return;
    const std::function<void()> due = std::move(found->second);
    timers_.erase(found);
    due();
  });
  return timer;
}

void ProcessExecutor::Clear() {
  while (!queue_.empty()) queue_.pop_front();
  while (!timers_.empty()) timers_.erase(timers_.begin());
}

struct SinkThreads::Thread {
  SinkThreads* threads = nullptr;
  std::deque<std::function<void()>> calls;
  std::function<void()> under_way;
  bool stopped = false;
};

class SinkThreads::Runner final : public SerialRunner {
 public:
  explicit Runner(std::shared_ptr<Thread> thread) : thread_(std::move(thread)) {}
  ~Runner() override { Runner::Stop({}); }

  void Run(std::function<void()> work) override {
    thread_->calls.push_back(std::move(work));
    if (!thread_->under_way) StartNext(thread_);
  }
  bool Stop(milliseconds) override {
    if (std::exchange(thread_->stopped, true)) return true;
    thread_->calls.clear();
    if (!thread_->under_way) return true;
    Process& process = *thread_->threads->process_;
    if (!process.alive()) {
      thread_->under_way = nullptr;
      return true;
    }
    if (process.random().Chance(500)) return false;  // it ends when it ends
    std::exchange(thread_->under_way, nullptr)();
    return true;
  }

 private:
  const std::shared_ptr<Thread> thread_;
};

std::unique_ptr<SerialRunner> SinkThreads::Make() {
  auto thread = std::make_shared<Thread>();
  thread->threads = this;
  threads_.push_back(thread);
  return std::make_unique<Runner>(std::move(thread));
}

void SinkThreads::StartNext(const std::shared_ptr<Thread>& thread) {
  thread->under_way = std::move(thread->calls.front());
  thread->calls.pop_front();
  SinkThreads& threads = *thread->threads;
  if (threads.during_next_call_) {
    threads.process_->schedule().After(nanoseconds(0),
                                       std::exchange(threads.during_next_call_, nullptr));
  }
  threads.process_->After(threads.latency_(), [thread] {
    if (!thread->under_way) return;
    std::exchange(thread->under_way, nullptr)();
    if (!thread->stopped && !thread->under_way && !thread->calls.empty()) StartNext(thread);
  });
}

void SinkThreads::FinishSome() {
  for (const auto& weak : threads_) {
    const auto thread = weak.lock();
    if (thread == nullptr || !thread->under_way || !process_->random().Chance(500)) continue;
    std::exchange(thread->under_way, nullptr)();
  }
}

}  // namespace watershed::sim
