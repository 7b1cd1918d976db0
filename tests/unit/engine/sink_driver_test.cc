#include "runtime/engine/sink_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "runtime/metrics/names.h"
#include "tests/unit/engine/manual_clock.h"
#include "tests/unit/engine/scripted_sink.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SinkDriverTest : public ::testing::Test {
 protected:
  SinkDriverTest() { Make(/*cancel_grace_ms=*/60'000); }

  void Make(int64_t cancel_grace_ms, SinkTakeover takeover = {}) {
    SinkDriver::Parameters parameters;
    parameters.takeover = std::move(takeover);
    parameters.writer = {"lineage", "rows", 0};
    parameters.subtask = {1};
    parameters.mailbox = mailbox_;
    parameters.clock = &clock_;
    parameters.options.sink_epoch_interval_ms = 1000;
    parameters.options.sink_epoch_size_bytes = 8;
    parameters.options.cancel_grace_ms = cancel_grace_ms;
    metrics_ = std::make_shared<MetricGroup>(&registry_, MetricLabels{});
    parameters.metrics = metrics_;
    parameters.records_out = &records_out_;
    parameters.bytes_out = &bytes_out_;
    parameters.records_written = &records_written_;
    driver_ = std::make_unique<SinkDriver>(std::make_unique<ScriptedSink>(script_),
                                           std::move(parameters));
  }
  ~SinkDriverTest() override {
    script_->HoldCommits(false);
    mailbox_->Close();
  }

  // As a task does it: asks again when mail has come.
  Status Open() {
    while (true) {
      WS_ASSIGN_OR_RETURN(const Progress progress, driver_->Open());
      if (progress == Progress::kDone) return Ok();
      mailbox_->Wait();
      WS_RETURN_IF_ERROR(mailbox_->RunAll());
    }
  }
  Status Write(const std::string& key) { return driver_->Process(0, Rows({{key, 1}})); }
  // Waits until the driver has seen the answer of one more commit than at the last call.
  Status RunNextMail() {
    ++awaited_answers_;
    while (Answers() < awaited_answers_) {
      mailbox_->Wait();
      WS_RETURN_IF_ERROR(mailbox_->RunAll());
    }
    return Ok();
  }
  int64_t Answers() {
    return metrics_->counter(metric_names::kSinkCommits).value() +
           metrics_->counter(metric_names::kSinkRetries).value();
  }
  Status Elapse(milliseconds time) {
    clock_.Advance(time);
    return mailbox_->RunAll();
  }

  int64_t awaited_answers_ = 0;
  ManualClock clock_;
  MetricRegistry registry_;
  std::shared_ptr<MetricGroup> metrics_;
  Counter records_out_, bytes_out_, records_written_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(&clock_);
  std::shared_ptr<SinkScript> script_ = std::make_shared<SinkScript>();
  std::unique_ptr<SinkDriver> driver_;
};

TEST_F(SinkDriverTest, CommitsAnEpochOfTheSetAge) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Write("a"));
  ASSERT_TRUE(Elapse(milliseconds(999)));
  EXPECT_EQ(script_->commits_begun, 0);
  ASSERT_TRUE(Elapse(milliseconds(1)));
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(script_->committed, ElementsAre("a;"));
  EXPECT_THAT(script_->epochs, ElementsAre(1));
}

TEST_F(SinkDriverTest, CommitsAnEpochOfTheSetSize) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Write("aaa"));
  ASSERT_TRUE(Write("bbb"));
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(script_->committed, ElementsAre("aaa;bbb;"));
  EXPECT_FALSE(mailbox_->next_timer().has_value());  // nothing was written since
  EXPECT_EQ(records_written_.value(), 2);
}

TEST_F(SinkDriverTest, EpochsGoOnBehindTheMarker) {
  script_->committed_epoch = 41;
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Write("aaaaaaaa"));
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(script_->epochs, ElementsAre(42));
}

TEST_F(SinkDriverTest, AMarkerThatDisagreesWithTheCheckpointFailsTheTask) {
  script_->keeps_markers = true;
  script_->committed_epoch = 7;
  SinkTakeover takeover;
  takeover.rules = MarkerRules{};
  takeover.writers.push_back(
      {.writer = {"lineage", "rows", 0}, .last_committed_epoch = {5}, .is_kept = true});
  Make(60'000, takeover);
  const Status refused = Open();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("sink 'rows' subtask 1: the target has epoch 7"));
  takeover.segments.push_back({.segment = {.epoch = {7}}});
  Make(60'000, takeover);
  EXPECT_TRUE(Open());
  takeover.rules.reset();  // no checkpoints: nothing to agree with
  takeover.segments.clear();
  Make(60'000, takeover);
  EXPECT_TRUE(Open());
}

TEST_F(SinkDriverTest, AnOpenThatMayHealIsAskedAgainWhereItStopped) {
  script_->open_errors.push_back({ErrorDomain::kExternal, true, "connection refused"});
  const Status first = Open();
  ASSERT_FALSE(first);
  EXPECT_TRUE(first.error().retryable);
  EXPECT_EQ(first.error().message, "sink 'rows' subtask 1: connection refused");
  EXPECT_TRUE(Open());
}

TEST_F(SinkDriverTest, TakesTheNextEpochDuringACommitAndHoldsItsInputOnlyWhenThatIsFullToo) {
  ASSERT_TRUE(Open());
  script_->HoldCommits(true);
  ASSERT_TRUE(Write("epoch-one"));
  script_->AwaitCommitsBegun(1);
  EXPECT_FALSE(driver_->full());
  ASSERT_TRUE(Write("two"));
  EXPECT_FALSE(driver_->full());
  ASSERT_TRUE(Write("two-full"));
  EXPECT_TRUE(driver_->full());
  ASSERT_TRUE(Write("late-row"));  // still accepted: an operator never meets a full queue
  script_->HoldCommits(false);
  ASSERT_TRUE(RunNextMail());  // epoch one is there, two begins
  EXPECT_FALSE(driver_->full());
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(script_->committed, ElementsAre("epoch-one;", "two;two-full;late-row;"));
  EXPECT_THAT(script_->epochs, ElementsAre(1, 2));
}

TEST_F(SinkDriverTest, RetriesACommitThatMayHealWithTheSameEpochAndSaysSo) {
  ASSERT_TRUE(Open());
  script_->commit_errors = {{ErrorDomain::kExternal, true, "outcome unknown: connection lost"},
                            {ErrorDomain::kExternal, true, "connection refused"}};
  ASSERT_TRUE(Write("epoch-one"));
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(driver_->degraded_reason(), HasSubstr("sink 'rows' subtask 1: outcome unknown"));
  ASSERT_TRUE(Elapse(milliseconds(120)));  // 100 ms and its jitter
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(driver_->degraded_reason(), HasSubstr("connection refused"));
  ASSERT_TRUE(Elapse(milliseconds(120)));  // twice as long now: nothing is asked
  EXPECT_EQ(script_->commits_begun, 2);
  ASSERT_TRUE(Elapse(milliseconds(120)));
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(driver_->degraded_reason(), IsEmpty());
  EXPECT_THAT(script_->epochs, ElementsAre(1, 1, 1));
  EXPECT_THAT(script_->committed, ElementsAre("epoch-one;"));
}

TEST_F(SinkDriverTest, CountsRowsAtEachFailureAndOnceWhenTheyAreThere) {
  ASSERT_TRUE(Open());
  script_->commit_errors = {{ErrorDomain::kExternal, true, "connection refused"},
                            {ErrorDomain::kExternal, true, "connection refused"}};
  ASSERT_TRUE(driver_->Process(0, Rows({{"aaa", 1}, {"bbb", 1}, {"ccc", 1}})));
  ASSERT_TRUE(RunNextMail());
  ASSERT_TRUE(Elapse(milliseconds(120)));
  ASSERT_TRUE(RunNextMail());
  EXPECT_EQ(metrics_->counter(metric_names::kSinkCommittedRecords).value(), 0);
  ASSERT_TRUE(Elapse(milliseconds(240)));
  ASSERT_TRUE(RunNextMail());
  EXPECT_EQ(metrics_->counter(metric_names::kRecordsSend).value(), 3);
  EXPECT_EQ(metrics_->counter(metric_names::kRecordsSendErrors).value(), 6);
  EXPECT_EQ(metrics_->counter(metric_names::kSinkRetries).value(), 2);
  EXPECT_EQ(metrics_->counter(metric_names::kSinkCommits).value(), 1);
  EXPECT_EQ(metrics_->counter(metric_names::kSinkCommittedRecords).value(), 3);
}

TEST_F(SinkDriverTest, ACommitRefusedForGoodFailsTheTask) {
  ASSERT_TRUE(Open());
  script_->commit_errors = {{ErrorDomain::kUser, false, "no such table"}};
  ASSERT_TRUE(Write("epoch-one"));
  const Status status = RunNextMail();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "sink 'rows' subtask 1: no such table");
}

TEST_F(SinkDriverTest, ARefusedRowFailsTheTask) {
  ASSERT_TRUE(Open());
  const Status status = Write("refused");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("sink 'rows' subtask 1: value too long"));
}

TEST_F(SinkDriverTest, AtTheEndTheLastEpochIsCommittedFirst) {
  ASSERT_TRUE(Open());
  script_->HoldCommits(true);
  ASSERT_TRUE(Write("epoch-one"));
  ASSERT_TRUE(Write("two"));
  ASSERT_EQ(driver_->EndOfInput(), Progress::kYield);
  EXPECT_TRUE(driver_->full());
  script_->HoldCommits(false);
  ASSERT_TRUE(RunNextMail());
  ASSERT_TRUE(driver_->full());  // the second is under way
  ASSERT_TRUE(RunNextMail());
  EXPECT_FALSE(driver_->full());
  ASSERT_EQ(driver_->EndOfInput(), Progress::kDone);
  EXPECT_THAT(script_->committed, ElementsAre("epoch-one;", "two;"));
}

TEST_F(SinkDriverTest, AtTheEndWithoutRowsNothingIsCommitted) {
  ASSERT_TRUE(Open());
  ASSERT_EQ(driver_->EndOfInput(), Progress::kDone);
  EXPECT_EQ(script_->commits_begun, 0);
}

TEST_F(SinkDriverTest, ASinkThatWritesAtOnceIsFlushedInstead) {
  script_->writes_at_once = true;
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Write("a"));
  ASSERT_TRUE(Elapse(milliseconds(1000)));
  EXPECT_EQ(script_->flushes, 1);
  EXPECT_EQ(script_->commits_begun, 0);
}

TEST_F(SinkDriverTest, ABarrierEndsTheEpoch) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Write("a"));
  ASSERT_TRUE(driver_->OnBarrier({}));
  ASSERT_TRUE(RunNextMail());
  EXPECT_THAT(script_->committed, ElementsAre("a;"));
}

TEST_F(SinkDriverTest, ClosingDoesNotHangOnACommitUnderWay) {
  script_ = std::make_shared<SinkScript>();
  Make(/*cancel_grace_ms=*/0);
  ASSERT_TRUE(Open());
  script_->HoldCommits(true);
  ASSERT_TRUE(Write("epoch-one"));
  script_->AwaitCommitsBegun(1);
  mailbox_->Close();
  driver_.reset();  // returns although the commit does not
  EXPECT_FALSE(script_->destroyed);
  EXPECT_TRUE(registry_.Collect().empty());  // it may outlive the registry
  script_->HoldCommits(false);
  script_->AwaitDestroyed();  // the commit left behind frees the sink when it comes back
}

TEST_F(SinkDriverTest, ClosingWithoutACommitClosesTheSink) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Write("a"));
  mailbox_->Close();
  driver_->Close();
  EXPECT_TRUE(script_->closed);
  EXPECT_EQ(script_->commits_begun, 0);  // an epoch that had not ended is given up
}

}  // namespace
}  // namespace watershed
