#include "jobmanager/store/stored_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobmanager/store/entries.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoredStateTest : public testing::Test {
 protected:
  StoredStateTest() { EXPECT_EQ(Add(Leader(), 1), ""); }

  // What is wrong with the entry; empty: it was added.
  std::string Add(v1::LogEntry entry, int64_t leader_epoch = 1) {
    entry.set_format_version(kLogEntryVersion);
    entry.set_leader_epoch(leader_epoch);
    entry.set_time_ms(++time_ms_);
    const std::string before = state_.SerializeAsString();
    const Status applied = Apply(state_, entry);
    if (applied) return "";
    EXPECT_EQ(state_.SerializeAsString(), before) << "changed all the same";
    return applied.error().message;
  }
  static v1::LogEntry Leader() {
    v1::LogEntry entry;
    entry.mutable_leader()->set_rpc_address("here:1");
    return entry;
  }
  const v1::StoredJob& Job(const std::string& id) { return *FindStoredJob(state_, id); }
  std::vector<int64_t> Retained(const std::string& id) {
    std::vector<int64_t> ids;
    for (const auto& checkpoint : Job(id).checkpoints()) ids.push_back(checkpoint.checkpoint_id());
    return ids;
  }

  v1::StoredState state_;
  int64_t time_ms_ = 1000;
};

TEST_F(StoredStateTest, EntriesAddUp) {
  EXPECT_EQ(Add(Submission("a")), "");
  EXPECT_EQ(Add(Submission("b")), "");
  EXPECT_EQ(Add(AttemptOf("a", 1)), "");
  EXPECT_EQ(Add(AttemptOf("a", 3)), "");
  EXPECT_EQ(state_.leader_epoch(), 1);
  ASSERT_EQ(state_.jobs_size(), 2);
  EXPECT_EQ(Job("a").submission().graph().name(), "job a");
  EXPECT_EQ(Job("a").submitted_time_ms(), 1002);
  EXPECT_EQ(Job("a").attempt(), 3);
  EXPECT_EQ(Job("b").attempt(), 0);
  EXPECT_EQ(Add(Cancel("b")), "");
  EXPECT_TRUE(Job("b").cancel_requested());
  EXPECT_EQ(Add(End("b")), "");
  EXPECT_EQ(Job("b").end().reason(), "because");
  EXPECT_EQ(Job("b").end_time_ms(), 1007);
  EXPECT_FALSE(Job("a").has_end());
  EXPECT_FALSE(Job("a").cancel_requested());
}

TEST_F(StoredStateTest, RetainedCheckpointsAreThoseNotSubsumed) {
  EXPECT_EQ(Add(Submission("a")), "");
  for (const int64_t id : {3, 5, 9}) EXPECT_EQ(Add(Checkpoint("a", id)), "");
  EXPECT_THAT(Retained("a"), ElementsAre(3, 5, 9));
  EXPECT_EQ(Add(Checkpoint("a", 10, {3, 9})), "");
  EXPECT_THAT(Retained("a"), ElementsAre(5, 10));
  EXPECT_EQ(Add(Checkpoint("a", 11, {3})), "");
  EXPECT_THAT(Retained("a"), ElementsAre(5, 10, 11));
}

TEST_F(StoredStateTest, FinishedTasksAreThoseOfTheAttempt) {
  EXPECT_EQ(Add(Submission("a")), "");
  EXPECT_EQ(Add(AttemptOf("a", 2)), "");
  EXPECT_EQ(Add(Finished("a", 2, 0)), "");
  EXPECT_EQ(Add(Finished("a", 1, 1)), "");  // late
  EXPECT_EQ(Add(Finished("a", 2, 3)), "");
  ASSERT_EQ(Job("a").finished_size(), 2);
  EXPECT_EQ(Job("a").finished(0).subtask(), 0);
  EXPECT_EQ(Job("a").finished(1).subtask(), 3);
  EXPECT_EQ(Add(AttemptOf("a", 3)), "");
  EXPECT_EQ(Job("a").finished_size(), 0);
  EXPECT_EQ(Add(Finished("a", 3, 0)), "");
  EXPECT_EQ(Add(End("a")), "");
  EXPECT_EQ(Job("a").finished_size(), 0);
  EXPECT_EQ(Add(Finished("a", 3, 1)), "");
  EXPECT_EQ(Job("a").finished_size(), 0);
}

TEST_F(StoredStateTest, RegionsHaveNumbersOfTheirOwn) {
  EXPECT_EQ(Add(Submission("a")), "");
  v1::LogEntry all = AttemptOf("a", 7);
  all.mutable_attempt()->set_regions(3);
  EXPECT_EQ(Add(all), "");
  EXPECT_THAT(Job("a").region_attempts(), ElementsAre(5, 6, 7));
  EXPECT_EQ(Job("a").attempts_beside(), 2);
  EXPECT_EQ(Add(RestartOf("a", 9, {2, 0})), "");
  EXPECT_THAT(Job("a").region_attempts(), ElementsAre(9, 6, 8));
  EXPECT_EQ(Job("a").attempt(), 9);
  EXPECT_EQ(Job("a").attempts_beside(), 3);  // four numbers for two starts, of three and of two
  EXPECT_EQ(Add(AttemptOf("a", 10)), "");    // of one region
  EXPECT_EQ(Job("a").region_attempts_size(), 0);
  EXPECT_EQ(Job("a").attempts_beside(), 3);
}

TEST_F(StoredStateTest, WhatHasFinishedInOtherRegionsStaysFinished) {
  EXPECT_EQ(Add(Submission("a")), "");
  v1::LogEntry all = AttemptOf("a", 2);
  all.mutable_attempt()->set_regions(2);
  EXPECT_EQ(Add(all), "");
  EXPECT_EQ(Add(Finished("a", 1, 0)), "");
  EXPECT_EQ(Add(Finished("a", 2, 1)), "");
  EXPECT_EQ(Add(RestartOf("a", 3, {1})), "");
  ASSERT_EQ(Job("a").finished_size(), 1);
  EXPECT_EQ(Job("a").finished(0).subtask(), 0);
  EXPECT_EQ(Add(Finished("a", 2, 1)), "");  // late
  EXPECT_EQ(Job("a").finished_size(), 1);
  EXPECT_EQ(Add(Finished("a", 1, 4)), "");  // another one of the region that goes on
  EXPECT_EQ(Add(Finished("a", 3, 1)), "");
  EXPECT_EQ(Job("a").finished_size(), 3);
}

TEST_F(StoredStateTest, RegionsThatAreNotThereCannotRestart) {
  EXPECT_EQ(Add(Submission("a")), "");
  v1::LogEntry all = AttemptOf("a", 2);
  all.mutable_attempt()->set_regions(2);
  EXPECT_EQ(Add(all), "");
  EXPECT_THAT(Add(RestartOf("a", 3, {2})), HasSubstr("restarts regions that it does not have"));
  EXPECT_THAT(Add(RestartOf("a", 4, {0, 0})), HasSubstr("restarts regions"));
  EXPECT_THAT(Add(RestartOf("a", 3, {0, 1})), HasSubstr("attempts only rise"));
  EXPECT_EQ(Add(AttemptOf("a", 5)), "");
  EXPECT_THAT(Add(RestartOf("a", 6, {0})), HasSubstr("restarts regions"));
}

TEST_F(StoredStateTest, CountsNeverFall) {
  EXPECT_EQ(Add(Submission("a")), "");
  v1::LogEntry checkpoint = Checkpoint("a", 1);
  v1::CheckpointCounts* counts = checkpoint.mutable_checkpoint()->mutable_counts();
  counts->set_triggered(3);
  counts->set_completed(1);
  counts->set_failed(2);
  EXPECT_EQ(Add(checkpoint), "");
  v1::LogEntry attempt = AttemptOf("a", 1);
  attempt.mutable_attempt()->set_reason("boom");
  attempt.mutable_attempt()->set_slots(3);
  attempt.mutable_attempt()->mutable_counts()->set_triggered(2);
  attempt.mutable_attempt()->mutable_counts()->set_restored(1);
  EXPECT_EQ(Add(attempt), "");
  EXPECT_EQ(Job("a").slots(), 3);
  EXPECT_EQ(Add(AttemptOf("a", 2)), "");  // of an earlier version
  EXPECT_EQ(Job("a").slots(), 0);
  EXPECT_EQ(Job("a").counts().triggered(), 3);
  EXPECT_EQ(Job("a").counts().completed(), 1);
  EXPECT_EQ(Job("a").counts().failed(), 2);
  EXPECT_EQ(Job("a").counts().restored(), 1);
  EXPECT_EQ(Job("a").restart_reason(), "boom");
}

TEST_F(StoredStateTest, LeadersAreCountedSinceTheLastCheckpoint) {
  EXPECT_EQ(Add(Submission("a")), "");
  EXPECT_EQ(Add(AttemptOf("a", 1)), "");
  EXPECT_EQ(Job("a").leaders(), 0);
  for (const int leaders : {1, 2}) {
    EXPECT_EQ(Add(Leader(), 1 + leaders), "");
    EXPECT_EQ(Add(AttemptOf("a", 1 + leaders), 1 + leaders), "");  // which says no ids
    EXPECT_EQ(Job("a").leaders(), leaders);
  }
  EXPECT_EQ(Add(Checkpoint("a", 1), 3), "");
  EXPECT_EQ(Job("a").leaders(), 0);
}

TEST_F(StoredStateTest, TheSplitsOfAVertexAreReplaced) {
  EXPECT_EQ(Add(Submission("a")), "");
  for (const char* split : {"x", "y"}) {
    v1::LogEntry entry;
    entry.mutable_splits()->set_job_id("a");
    entry.mutable_splits()->set_vertex_id("v");
    entry.mutable_splits()->add_splits()->set_id(split);
    EXPECT_EQ(Add(entry), "");
    entry.mutable_splits()->set_vertex_id(std::string("of ") + split);
    EXPECT_EQ(Add(entry), "");
  }
  ASSERT_EQ(Job("a").splits_size(), 3);
  ASSERT_EQ(Job("a").splits(0).splits_size(), 1);
  EXPECT_EQ(Job("a").splits(0).splits(0).id(), "y");
}

TEST_F(StoredStateTest, ASnapshotIsAllOfIt) {
  EXPECT_EQ(Add(Submission("a")), "");
  v1::LogEntry entry;
  entry.mutable_snapshot()->set_leader_epoch(7);
  *entry.mutable_snapshot()->add_jobs()->mutable_submission() = Submission("b").submission();
  EXPECT_EQ(Add(entry, 7), "");
  EXPECT_EQ(state_.SerializeAsString(), entry.snapshot().SerializeAsString());
}

TEST_F(StoredStateTest, WhatCannotFollowIsRefusedAndChangesNothing) {
  EXPECT_EQ(Add(Submission("a")), "");
  EXPECT_EQ(Add(AttemptOf("a", 2)), "");
  EXPECT_EQ(Add(Checkpoint("a", 4)), "");
  EXPECT_THAT(Add(Submission("a")), HasSubstr("job a is submitted twice"));
  EXPECT_THAT(Add(AttemptOf("a", 2)), HasSubstr("attempt 2 of job a follows 2"));
  EXPECT_THAT(Add(Checkpoint("a", 4, {4})), HasSubstr("checkpoint 4 of job a follows 4"));
  EXPECT_THAT(Add(AttemptOf("x", 1)), HasSubstr("no job x"));
  EXPECT_THAT(Add(Checkpoint("x", 1)), HasSubstr("no job x"));
  EXPECT_THAT(Add(End("x")), HasSubstr("no job x"));
  EXPECT_THAT(Add(v1::LogEntry()), HasSubstr("kind"));
  EXPECT_EQ(Add(End("a")), "");
  EXPECT_THAT(Add(End("a")), HasSubstr("ends twice"));
}

TEST_F(StoredStateTest, OnlyTheLeaderIsHeardAndEpochsOnlyRise) {
  EXPECT_THAT(Add(Leader(), 1), HasSubstr("leader epoch 1 follows 1"));
  EXPECT_EQ(Add(Leader(), 4), "");
  EXPECT_THAT(Add(Submission("a"), 1), HasSubstr("leader epoch 1 although 4 leads"));
  EXPECT_THAT(Add(Submission("a"), 5), HasSubstr("leader epoch 5 although 4 leads"));
  EXPECT_EQ(Add(Submission("a"), 4), "");
}

TEST_F(StoredStateTest, AnotherFormatIsRefusedByName) {
  v1::LogEntry entry = Submission("a");
  entry.set_format_version(kLogEntryVersion + 1);
  entry.set_leader_epoch(1);
  const Status applied = Apply(state_, entry);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(applied.error().message, HasSubstr("format version is 2"));
}

TEST_F(StoredStateTest, OfManyEndedJobsTheFirstToEndAreDroppedAndCounted) {
  EXPECT_EQ(Add(Submission("runs")), "");
  EXPECT_EQ(Add(Submission("ends last")), "");
  for (int i = 0; i < kMaxEndedJobs; ++i) {
    EXPECT_EQ(Add(Submission(std::to_string(i))), "");
    EXPECT_EQ(Add(End(std::to_string(i))), "");
  }
  EXPECT_EQ(state_.dropped_jobs(), 0);
  EXPECT_EQ(Add(End("ends last")), "");
  EXPECT_EQ(state_.dropped_jobs(), 1);
  EXPECT_EQ(state_.jobs_size(), 1 + kMaxEndedJobs);
  EXPECT_EQ(FindStoredJob(state_, "0"), nullptr);
  EXPECT_NE(FindStoredJob(state_, "1"), nullptr);
  EXPECT_NE(FindStoredJob(state_, "ends last"), nullptr);
  EXPECT_NE(FindStoredJob(state_, "runs"), nullptr);
}

TEST_F(StoredStateTest, TheLastJobToEndIsKeptAlsoWhenTheWallClockHasBeenSetBack) {
  for (int i = 0; i <= kMaxEndedJobs; ++i) {
    EXPECT_EQ(Add(Submission(std::to_string(i))), "");
    time_ms_ = 1'000'000 - i;
    EXPECT_EQ(Add(End(std::to_string(i))), "");
  }
  EXPECT_EQ(FindStoredJob(state_, "0"), nullptr);
  EXPECT_NE(FindStoredJob(state_, std::to_string(kMaxEndedJobs)), nullptr);
}

}  // namespace
}  // namespace watershed
