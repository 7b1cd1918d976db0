// Runs every case of cases/ through the real compiler, planner and engine, at several parallelisms,
// on both state backends, and compares rows and counts. README.md says how to add a case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/engine/job_runner.h"
#include "runtime/job/compile.h"
#include "runtime/job/physical_planner.h"
#include "runtime/state/keyed_state.h"
#include "tests/golden/golden_case.h"
#include "tests/golden/line_connectors.h"

namespace watershed::golden {
namespace {

struct Mode {
  const char* name;
  int32_t parallelism;
  bool record_by_record;  // and a watermark after each
  StateBackendKind backend;
  int64_t channel_capacity_bytes = 1 << 20;  // 1: every channel is full after every batch
};

constexpr Mode kModes[] = {
    {"p1", 1, true, StateBackendKind::kHashMap},
    {"p2_rocksdb", 2, true, StateBackendKind::kRocksDb},
    {"p3_tight", 3, true, StateBackendKind::kHashMap, 1},
    {"p2_all_at_once", 2, false, StateBackendKind::kRocksDb},
};

struct Run {
  GoldenCase golden;
  Mode mode;
};

void PrintTo(const Run& run, std::ostream* out) { *out << run.golden.name << " " << run.mode.name; }

std::vector<Run> AllRuns() {
  std::vector<Run> runs;
  for (const GoldenCase& golden : LoadCases()) {
    for (const Mode& mode : kModes) {
      if (golden.order_matters && !mode.record_by_record) continue;
      runs.push_back({golden, mode});
    }
  }
  return runs;
}

std::string NameOf(const ::testing::TestParamInfo<Run>& run) {
  return run.param.golden.name + "_" + run.param.mode.name;
}

class GoldenTest : public ::testing::TestWithParam<Run> {
 protected:
  GoldenTest() {
    KeyedStateOptions options;
    options.backend = GetParam().mode.backend;
    options.cache_bytes = 1 << 20;
    state_ = std::make_unique<KeyedStateFactory>(options);
    board_ = std::make_unique<Board>(GetParam().golden);
  }

  std::shared_ptr<const v1::PhysicalPlan> Plan() {
    CompileOptions options;
    options.connectors = LineConnectorSpecs();
    const CompileResult compiled = CompileJobFile(GetParam().golden.job, options);
    EXPECT_TRUE(compiled.ok()) << ToString(compiled.diagnostics);
    if (!compiled.ok()) return nullptr;
    auto plan = PlanJob(*compiled.graph, {.default_parallelism = GetParam().mode.parallelism});
    EXPECT_TRUE(plan.has_value()) << plan.error().message;
    if (!plan) return nullptr;
    return std::make_shared<const v1::PhysicalPlan>(std::move(*plan));
  }

  // Source subtasks that find no partition.
  int IdleSubtasks() const {
    int idle = 0;
    for (const auto& [source, partitions] : GetParam().golden.input) {
      idle += std::max(GetParam().mode.parallelism - static_cast<int>(partitions.size()), 0);
    }
    return idle;
  }

  std::unique_ptr<JobRunner> Start(std::shared_ptr<const v1::PhysicalPlan> plan) {
    LineConnectorOptions lines;
    lines.idle_subtasks = IdleSubtasks();
    lines.records_per_poll = GetParam().mode.record_by_record ? 1 : 1 << 20;
    connectors_ = MakeLineConnectors(board_.get(), lines);
    JobRunnerOptions options;
    options.environment.connectors = connectors_.get();
    options.environment.keyed_state = state_.get();
    options.environment.options.auto_watermark_interval_ms = 0;
    options.channel_capacity_bytes = GetParam().mode.channel_capacity_bytes;
    auto runner = JobRunner::Create(std::move(plan), std::move(options));
    runner->Start();
    return runner;
  }

  std::unique_ptr<KeyedStateFactory> state_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<ConnectorFactory> connectors_;
};

TEST_P(GoldenTest, GivesTheExpectedRows) {
  const GoldenCase& golden = GetParam().golden;
  auto plan = Plan();
  ASSERT_NE(plan, nullptr);
  const auto runner = Start(std::move(plan));
  ASSERT_TRUE(runner->WaitFor(std::chrono::seconds(60))) << "the job does not end";
  const JobResult result = runner->result();
  if (golden.fails) {
    EXPECT_EQ(result.state, TaskState::kFailed);
    EXPECT_THAT(result.failure.message, ::testing::HasSubstr(*golden.fails));
    return;
  }
  ASSERT_EQ(result.state, TaskState::kFinished) << result.failure.message;
  auto rows = board_->TakeRows();
  for (const auto& [sink, expected] : golden.rows) {
    EXPECT_THAT(Normalised(rows[sink]), ::testing::ElementsAreArray(expected)) << "sink " << sink;
    rows.erase(sink);
  }
  for (const auto& [sink, unexpected] : rows) {
    ADD_FAILURE() << "sink " << sink
                  << " has rows, but the case expects none of it: " << unexpected.front();
  }
  EXPECT_EQ(runner->progress().late_records, golden.late);
  EXPECT_EQ(runner->progress().skipped_records, golden.skipped);
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenTest, ::testing::ValuesIn(AllRuns()), NameOf);

}  // namespace
}  // namespace watershed::golden
