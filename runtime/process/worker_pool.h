// A few threads for work that blocks, such as asking a broker.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/process/work_runner.h"

namespace watershed {

// Threads start when there is more work than idle ones, up to `max_threads`; then work queues.
class WorkerPool final : public WorkRunner {
 public:
  WorkerPool(std::string thread_name, size_t max_threads)
      : thread_name_(std::move(thread_name)), max_threads_(max_threads) {}
  ~WorkerPool() override;  // Stop

  void Run(std::function<void()> work) override;
  // Waits for work under way; what is queued is dropped. Not from the pool itself.
  void Stop();

 private:
  void Loop();

  const std::string thread_name_;
  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace watershed
