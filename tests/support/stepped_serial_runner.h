// A SerialRunner whose work waits in a WorkRunner that is stepped by hand.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "runtime/engine/serial_runner.h"
#include "runtime/process/work_runner.h"

namespace watershed {

// One thread. Keeps its order whatever order the WorkRunner steps in.
class SteppedSerialRunner final : public SerialRunner {
 public:
  explicit SteppedSerialRunner(WorkRunner* steps) : steps_(steps) {}

  void Run(std::function<void()> work) override {
    queue_->push_back(std::move(work));
    steps_->Run([queue = queue_] {
      if (queue->empty()) return;  // stopped meanwhile
      const std::function<void()> next = std::move(queue->front());
      queue->pop_front();
      next();
    });
  }
  bool Stop(std::chrono::milliseconds) override {
    queue_->clear();
    return true;
  }

 private:
  WorkRunner* steps_;
  const std::shared_ptr<std::deque<std::function<void()>>> queue_ =
      std::make_shared<std::deque<std::function<void()>>>();
};

}  // namespace watershed
