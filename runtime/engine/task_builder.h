// Builds what a task runs from its vertex of the plan: the operator chain and the input before it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/mailbox.h"
#include "runtime/engine/operator_chain.h"
#include "runtime/engine/task.h"
#include "runtime/engine/task_input.h"
#include "runtime/engine/task_metrics.h"
#include "runtime/storage/background_writer.h"

namespace watershed {

// Destroyed in reverse order: the groups outlive what counts in them.
struct TaskParts {
  std::string vertex_name;
  std::unique_ptr<TaskMetrics> metrics;
  std::vector<std::shared_ptr<MetricGroup>> operator_metrics;
  std::deque<SnapshotTarget> snapshots;  // of operators and sinks; they keep pointers
  std::unique_ptr<OperatorChain> chain;
  std::unique_ptr<TaskInput> input;
  bool is_source = false;
};

// Of the task itself.
struct TaskSurroundings {
  std::shared_ptr<Mailbox> mailbox;
  std::string directory;  // operators and connectors get folders in it, made here
};

Result<TaskParts> BuildTask(const TaskSpec& spec, const TaskEnvironment& environment,
                            const TaskSurroundings& surroundings);

}  // namespace watershed
