// `wsctl run` with an engine that does what a test says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_line_run.h"
#include "job_file_fixture.h"
#include "runtime/engine/job_runner.h"
#include "watershed/v1/physical_plan.pb.h"
#include "wsctl/run_progress.h"

namespace watershed {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Ends by itself after some waits, or when cancelled.
class FakeRunner : public JobRunner {
 public:
  void Start() override { started = true; }
  void Cancel() override {
    ++cancels;
    if (end.state == TaskState::kRunning) end.state = TaskState::kCanceled;
  }
  bool WaitFor(std::chrono::milliseconds) override {
    if (on_wait) on_wait();
    return waits_left >= 0 ? waits_left-- == 0 : end.state != TaskState::kRunning;
  }
  JobResult result() const override { return end; }
  JobProgress progress() const override {
    return {.tasks_total = 1,
            .records_in = 10,
            .records_out = 5,
            .watermark_ms = 1000,
            .degraded_reason = degraded_reason};
  }

  bool started = false;
  int cancels = 0;
  int waits_left = -1;  // -1: until cancelled
  JobResult end;
  std::string degraded_reason;
  std::function<void()> on_wait;
};

class RunCommandTest : public testing::Test {
 protected:
  RunCommandTest() {
    context_.local_engine =
        [this](std::shared_ptr<const v1::PhysicalPlan> plan) -> Result<std::unique_ptr<JobRunner>> {
      plan_ = *plan;
      auto runner = std::make_unique<FakeRunner>();
      runner->end.state = TaskState::kRunning;
      prepare_(*runner);
      return runner;
    };
    context_.watch_interrupts = [this]() -> const std::atomic<int>& { return interrupts_; };
  }

  CommandResult Wsctl(const std::vector<std::string>& arguments) {
    return RunWsctl(arguments, context_);
  }

  FilesForTest files_;
  std::string job_ = files_.Write("numbers.yaml", kNumbersJob);
  CommandContext context_;
  std::atomic<int> interrupts_{0};
  v1::PhysicalPlan plan_;
  std::function<void(FakeRunner&)> prepare_ = [](FakeRunner& runner) {
    runner.waits_left = 2;
    runner.end.state = TaskState::kFinished;
  };
};

TEST_F(RunCommandTest, AFinishedJobIsCode0) {
  CommandResult result = Wsctl({"run", job_, "-p", "2"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("FINISHED after "));
  EXPECT_THAT(result.err, HasSubstr("10 records in"));
  EXPECT_EQ(result.out, "");  // standard output belongs to print sinks
  ASSERT_GT(plan_.vertices_size(), 0);
  EXPECT_EQ(plan_.vertices(0).parallelism(), 2);
}

TEST_F(RunCommandTest, AsJson) {
  CommandResult result = Wsctl({"run", job_, "-o", "json"});
  EXPECT_EQ(result.code, 0);
  json run = json::parse(result.out);
  EXPECT_EQ(run["state"], "FINISHED");
  EXPECT_EQ(run["records-in"], 10);
  EXPECT_EQ(run["watermark"], "1970-01-01T00:00:01.000Z");
  EXPECT_TRUE(run["failure"].is_null());
  EXPECT_TRUE(run["lag-records"].is_null());
}

TEST_F(RunCommandTest, AFailedJobIsCode1WithItsMessage) {
  prepare_ = [](FakeRunner& runner) {
    runner.waits_left = 0;
    runner.end.state = TaskState::kFailed;
    runner.end.failure = {ErrorDomain::kUser, false, "sink 'out' subtask 0: table x is missing"};
  };
  CommandResult result = Wsctl({"run", job_});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("error: sink 'out' subtask 0: table x is missing\n"));
}

TEST_F(RunCommandTest, CtrlCCancelsOnceAndIsCode0) {
  int cancels = 0;
  prepare_ = [&](FakeRunner& runner) {
    runner.on_wait = [&] {
      cancels = runner.cancels;
      interrupts_ = 1;
    };
  };
  CommandResult result = Wsctl({"run", job_});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("CANCELED after "));
  EXPECT_EQ(cancels, 1);
}

TEST_F(RunCommandTest, CtrlCOfABoundedJobIsCode1) {
  prepare_ = [&](FakeRunner& runner) { runner.on_wait = [&] { interrupts_ = 1; }; };
  CommandResult result = Wsctl({"run", "--bounded", job_});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("cancelled before its end"));
}

TEST_F(RunCommandTest, ATimeoutCancelsAndIsCode3) {
  prepare_ = [](FakeRunner&) {};
  CommandResult result = Wsctl({"run", job_, "--timeout", "20ms"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("cancelled after --timeout 20ms"));
}

// Without a terminal the reason is said once, and again with the end that it led to.
TEST_F(RunCommandTest, WhatTheJobWaitsForIsSaid) {
  prepare_ = [](FakeRunner& runner) { runner.degraded_reason = "broker\x1b down"; };
  CommandResult result = Wsctl({"run", job_, "--timeout", "20ms"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, testing::StartsWith("waiting: broker\\x1b down\n"));
  EXPECT_THAT(result.err, HasSubstr("--timeout 20ms; it was waiting: broker\\x1b down\n"));
}

TEST_F(RunCommandTest, AnEngineThatCannotStartIsCode1) {
  context_.local_engine = [](auto) -> Result<std::unique_ptr<JobRunner>> {
    return ExternalError("no temporary directory");
  };
  CommandResult result = Wsctl({"run", job_});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.err, "error: no temporary directory\n");
}

TEST_F(RunCommandTest, BoundedNeedsASourceThatCanEnd) {
  std::string endless =
      files_.Write("endless.yaml",
                   "kind: Job\nname: e\nsources:\n  rows:\n    connector: datagen\n"
                   "    columns: {ip: string}\nsinks:\n"
                   "  out: {input: rows, connector: blackhole}\n");
  CommandResult result = Wsctl({"run", "--bounded", endless});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("rows"));
}

TEST_F(RunCommandTest, ABadFileIsCode2) {
  std::string bad = files_.Write("bad.yaml", "kind: Job\n");
  EXPECT_EQ(Wsctl({"run", bad}).code, 2);
  EXPECT_EQ(Wsctl({"run", files_.directory() + "/missing.yaml"}).code, 2);
}

TEST_F(RunCommandTest, AProgressLineOnATerminalOnly) {
  std::ostringstream out, err;
  static const TestClock clock;
  context_.console = {.out = &out, .err = &err, .err_is_terminal = true};
  context_.clock = &clock;
  EXPECT_EQ(RunCommandLine({"run", job_}, context_), 0);
  EXPECT_THAT(err.str(),
              HasSubstr("\r\x1b[K0 records/s | in 10 | out 5 | late 0 | watermark 1970"));
  context_.console = {};
  EXPECT_THAT(Wsctl({"run", job_}).err, testing::Not(HasSubstr("\x1b")));
}

TEST(RunProgressTest, RateIsOverTheLastInterval) {
  RateMeter meter;
  meter.Update(100, std::chrono::seconds(5));
  EXPECT_EQ(meter.records_per_second(), 0);
  meter.Update(1100, std::chrono::milliseconds(5500));
  EXPECT_EQ(meter.records_per_second(), 2000);
  meter.Update(1100, std::chrono::milliseconds(6000));
  EXPECT_EQ(meter.records_per_second(), 0);
}

TEST(RunProgressTest, LineShowsWhatIsKnown) {
  JobProgress progress;
  EXPECT_EQ(ProgressLine(progress, 0), "0 records/s | in 0 | out 0 | late 0 | watermark –");
  progress.records_in = 1234567;
  progress.source_lag_records = 0;
  progress.skipped_records = 3;
  progress.dead_letter_records = 4;
  progress.watermark_ms = kMaxWatermarkMs;
  progress.degraded_reason = "broker\ndown";
  EXPECT_EQ(
      ProgressLine(progress, 1000),
      "1,000 records/s | in 1,234,567 | out 0 | late 0 | skipped 3 | dead letters 4 | lag 0 | "
      "watermark end-of-input | broker down");
}

}  // namespace
}  // namespace watershed
