#include "runtime/process/worker_pool.h"

#include <pthread.h>

#include <utility>

namespace watershed {

WorkerPool::~WorkerPool() { Stop(); }

void WorkerPool::Run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(work));
  if (idle_ >= queue_.size() || threads_.size() == max_threads_) {
    wake_.notify_one();
    return;
  }
  std::thread& thread = threads_.emplace_back([this] { Loop(); });
  pthread_setname_np(thread.native_handle(), thread_name_.substr(0, 15).c_str());
}

void WorkerPool::Stop() {
  std::vector<std::thread> threads;
  std::deque<std::function<void()>> dropped;  // released without the lock
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    dropped.swap(queue_);
    wake_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

void WorkerPool::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_) return;
    {
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    lock.lock();
  }
}

}  // namespace watershed
