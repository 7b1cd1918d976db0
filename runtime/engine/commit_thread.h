// One thread that runs the blocking calls of a sink, so that the task goes on meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "runtime/engine/serial_runner.h"

namespace watershed {

class CommitThread final : public SerialRunner {
 public:
  CommitThread();
  ~CommitThread() override { CommitThread::Stop(std::chrono::seconds(1)); }
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  void Run(std::function<void()> work) override;
  // A call that does not come back keeps its thread.
  bool Stop(std::chrono::milliseconds grace) override;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace watershed
