#include "runtime/engine/task.h"

#include <pthread.h>

#include <thread>
#include <utility>

#include "runtime/engine/task_core.h"

namespace watershed {
namespace {

class TaskThread final : public Task {
 public:
  TaskThread(TaskSpec spec, const TaskEnvironment& environment)
      : core_(std::move(spec), environment) {}
  ~TaskThread() override { Join(); }
  Status Build() { return core_.Build(); }

  void Start() override {
    thread_ = std::thread([this] { Run(); });
    // Linux shows 15 characters; the subtask tells twins apart.
    const std::string name =
        fmt::format("{:.11}/{}", core_.vertex_name(), core_.spec().subtask.value);
    pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
  }
  void Join() override {
    if (thread_.joinable()) thread_.join();
  }

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
  TaskStatus status() const override { return core_.status(); }
  TaskFigures figures() const override { return core_.figures(); }
  const TaskSpec& spec() const override { return core_.spec(); }
  bool is_source() const override { return core_.is_source(); }

 private:
  void Run() {
    while (true) {
      const TaskCore::StepResult result = core_.Step();
      if (result == TaskCore::StepResult::kEnded) return;
      if (result == TaskCore::StepResult::kWaiting) core_.Wait();
    }
  }

  TaskCore core_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Task>> Task::Create(TaskSpec spec, const TaskEnvironment& environment) {
  auto task = std::make_unique<TaskThread>(std::move(spec), environment);
  WS_RETURN_IF_ERROR(task->Build());
  return task;
}

}  // namespace watershed
