// A job whose tasks are all stepped in one thread, with the part of a JobManager that tests of
// checkpoints need: it collects answers, makes a manifest of them, and restores from it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/engine/local_channel_provider.h"
#include "runtime/engine/task_core.h"
#include "runtime/state/keyed_state.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"
#include "tests/unit/engine/log_connectors.h"
#include "tests/unit/engine/manual_clock.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

// sessions by key over LogWorld's rows: events -> sessions -> out.
class CheckpointedJob final : public CheckpointResponder {
 public:
  CheckpointedJob(std::shared_ptr<LogWorld> world, std::shared_ptr<FaultyStorage> storage);
  ~CheckpointedJob() override;

  // A new attempt with empty state, or with what `from` holds. Without checkpoints if told so.
  void Start(int32_t parallelism, const v1::CheckpointManifest* from = nullptr,
             bool with_checkpoints = true);
  // As if the process had been killed: nothing is finished, nothing is told.
  void Kill();

  // Steps everything in turns; time passes when nothing else can be done. False: the condition did
  // not come.
  bool RunUntil(const std::function<bool()>& condition);
  bool RunUntilRunning();
  bool RunToTheEnd();  // all tasks ended
  bool StepAll();      // one round; false: nothing could be done

  // To every task of the attempt.
  void Trigger(int64_t checkpoint, SourceStop stop = SourceStop::kGoOn);
  void Complete(int64_t checkpoint, bool is_last = false);
  void Abort(int64_t checkpoint);
  // Trigger, run until all have acknowledged, make the manifest.
  v1::CheckpointManifest Take(int64_t checkpoint, SourceStop stop = SourceStop::kGoOn);
  bool Acknowledged(int64_t checkpoint) const {
    const auto found = acknowledged.find(checkpoint);
    return found != acknowledged.end() && found->second.size() == tasks_.size();
  }
  bool Confirmed(int64_t checkpoint) const {
    const auto found = confirmed.find(checkpoint);
    return found != confirmed.end() && found->second.size() == tasks_.size();
  }
  bool AllEnded() const;
  v1::CheckpointManifest Manifest(int64_t checkpoint) const;
  // "Source: events" or the other vertex.
  TaskCore& source(int32_t subtask = 0) { return *tasks_[static_cast<size_t>(subtask)]; }
  TaskCore& window(int32_t subtask = 0) {
    return *tasks_[tasks_.size() / 2 + static_cast<size_t>(subtask)];
  }

  // Of one metric over the tasks of the attempt.
  double MetricSum(std::string_view name) const;

  using Key = std::pair<std::string, int32_t>;  // vertex, subtask
  std::map<int64_t, std::map<Key, v1::SubtaskSnapshot>> acknowledged;
  std::map<int64_t, std::map<Key, std::string>> declined;
  std::map<int64_t, std::set<Key>> confirmed;
  SteppedWorkRunner io, sink_calls;
  int64_t watermark_interval_ms = 0;  // a watermark ends open batches
  MemoryAccount* memory = nullptr;    // null: nothing is bounded by one
  bool hold_io = false;
  bool hold_sink_calls = false;
  bool suspended = false;          // tasks of the next Start are
  bool failures_expected = false;  // else a task that fails fails the test
  ManualClock clock;

  void Acknowledge(const TaskSpec& task, CheckpointId checkpoint,
                   const v1::SubtaskSnapshot& snapshot) override;
  void Decline(const TaskSpec& task, CheckpointId checkpoint, const Error& reason) override;
  void Confirm(const TaskSpec& task, CheckpointId checkpoint) override;

 private:
  TaskEnvironment Environment();
  void AddTask(TaskSpec spec);

  std::shared_ptr<LogWorld> world_;
  std::shared_ptr<FaultyStorage> storage_;
  LogConnectors connectors_;
  MetricRegistry metrics_;
  KeyedStateFactory keyed_state_{{.backend = StateBackendKind::kHashMap}};
  std::unique_ptr<LocalChannelProvider> channels_;
  std::shared_ptr<const v1::PhysicalPlan> plan_;
  int32_t attempt_ = -1;
  std::vector<std::unique_ptr<TaskCore>> tasks_;
};

}  // namespace watershed
