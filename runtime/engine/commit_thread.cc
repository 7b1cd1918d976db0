#include "runtime/engine/commit_thread.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace watershed {

struct CommitThread::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> work;
  bool stopping = false;
  bool working = false;

  void Loop() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return stopping || !work.empty(); });
      if (stopping) break;
      std::function<void()> next = std::move(work.front());
      work.pop_front();
      working = true;
      lock.unlock();
      next();
      next = nullptr;  // what it owns goes before anyone hears that it ended
      lock.lock();
      working = false;
      changed.notify_all();
    }
  }
};

CommitThread::CommitThread() : shared_(std::make_shared<Shared>()) {
  thread_ = std::thread([shared = shared_] { shared->Loop(); });
  pthread_setname_np(thread_.native_handle(), "sink-commit");
}

void CommitThread::Run(std::function<void()> work) {
  {
    std::lock_guard lock(shared_->mutex);
    shared_->work.push_back(std::move(work));
  }
  shared_->changed.notify_all();
}

bool CommitThread::Stop(std::chrono::milliseconds grace) {
  if (!thread_.joinable()) return true;
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->work.clear();
  shared_->changed.notify_all();
  const bool idle = shared_->changed.wait_for(lock, grace, [this] { return !shared_->working; });
  lock.unlock();
  if (idle) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return idle;
}

}  // namespace watershed
