// A production task that is stepped as an event among others.
#pragma once

#include <memory>
#include <utility>

#include "runtime/engine/task_core.h"
#include "tests/sim/observer.h"
#include "tests/sim/process.h"

namespace watershed::sim {

class SteppedTask final : public Task {
 public:
  static Result<std::unique_ptr<Task>> Create(Process* process, Observer* observer, TaskSpec spec,
                                              const TaskEnvironment& environment) {
    auto task = std::make_unique<SteppedTask>(process, observer, std::move(spec), environment);
    WS_RETURN_IF_ERROR(task->core_.Build());
    task->built_ = true;
    return std::unique_ptr<Task>(std::move(task));
  }
  SteppedTask(Process* process, Observer* observer, TaskSpec spec,
              const TaskEnvironment& environment)
      : process_(process), observer_(observer), core_(std::move(spec), environment) {
    slowness_ = process_->random().Chance(100) ? 10 : 1;
  }
  ~SteppedTask() override {
    if (!built_) return;
    const std::string name = fmt::format("{} subtask {} of attempt {}", core_.vertex_name(),
                                         spec().subtask.value, spec().attempt.value);
    observer_->OnTaskEnded(name, core_.figures().late_records);
  }

  void Start() override { StepAfter(nanoseconds(0)); }
  void Cancel() override { core_.Cancel(); }
  void TriggerCheckpoint(const Barrier& barrier, SourceStop stop) override {
    core_.TriggerCheckpoint(barrier, stop);
  }
  void NotifyCheckpointComplete(CheckpointId checkpoint, bool is_last) override {
    core_.NotifyCheckpointComplete(checkpoint, is_last);
  }
  void NotifyCheckpointAborted(CheckpointId checkpoint) override {
    core_.NotifyCheckpointAborted(checkpoint);
  }
  void Join() override {}
  TaskStatus status() const override { return core_.status(); }
  TaskFigures figures() const override { return core_.figures(); }
  const TaskSpec& spec() const override { return core_.spec(); }
  bool is_source() const override { return core_.is_source(); }

 private:
  static constexpr microseconds kLongestStep{60};
  // A task that waits looks for what has come this often, as no thread has to be woken.
  static constexpr microseconds kShortestWait{500};
  static constexpr microseconds kLongestWait{3000};

  void StepAfter(nanoseconds delay) {
    process_->After(delay, [this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) Step();
    });
  }
  void Step() {
    Random& random = process_->random();
    const TaskCore::StepResult result = core_.Step();
    if (result == TaskCore::StepResult::kProgressed) {
      StepAfter(slowness_ * random.Between(nanoseconds(1000), kLongestStep));
    } else if (result == TaskCore::StepResult::kWaiting) {
      StepAfter(random.Between(kShortestWait, kLongestWait));
    }
  }

  Process* const process_;
  Observer* const observer_;
  int slowness_;
  bool built_ = false;
  TaskCore core_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace watershed::sim
