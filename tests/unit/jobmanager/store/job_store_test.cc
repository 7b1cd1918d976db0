#include "jobmanager/store/job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"
#include "tests/unit/jobmanager/stepped_executor.h"
#include "tests/unit/jobmanager/store/entries.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = StorageCall::Kind;

// A JobManager's share: its threads, and its store.
struct Process {
  Process(std::shared_ptr<ObjectStorage> storage, uint64_t writer_id, int snapshot_every)
      : store(MakeLogJobStore(std::move(storage), &io, &executor, &executor,
                              {.writer_id = writer_id, .snapshot_every = snapshot_every})) {}

  Result<v1::StoredState> BecomeLeader() {
    v1::LeaderEntry self;
    self.set_rpc_address("here:1");
    return store->BecomeLeader(self);
  }
  void Append(v1::LogEntry entry) {
    store->Append(std::move(entry), [this](const Status& status) {
      results.push_back(status ? "stored" : status.error().message);
    });
  }
  void RunAll() {
    io.RunAll();
    executor.RunAll();
  }

  SteppedExecutor executor;
  SteppedWorkRunner io;
  std::vector<std::string> results;  // of Append
  std::unique_ptr<JobStore> store;
};

class LogJobStoreTest : public testing::Test {
 protected:
  std::unique_ptr<Process> Start(int snapshot_every = 1000) {
    return std::make_unique<Process>(storage_, ++writers_, snapshot_every);
  }
  // What a successor begins with.
  v1::StoredState Stored() { return Start()->BecomeLeader().value(); }

  const SteppedExecutor clock_;
  const std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&clock_);
  uint64_t writers_ = 0;
};

TEST_F(LogJobStoreTest, ASuccessorBeginsWithWhatWasStored) {
  const auto first = Start();
  const auto state = first->BecomeLeader();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->leader_epoch(), 1);
  EXPECT_EQ(state->jobs_size(), 0);
  first->Append(Submission("a"));
  first->Append(AttemptOf("a", 1));
  first->Append(Checkpoint("a", 5));
  first->RunAll();
  EXPECT_THAT(first->results, ElementsAre("stored", "stored", "stored"));
  const v1::StoredState stored = Stored();
  EXPECT_EQ(stored.leader_epoch(), 2);
  ASSERT_EQ(stored.jobs_size(), 1);
  EXPECT_EQ(stored.jobs(0).attempt(), 1);
  EXPECT_EQ(stored.jobs(0).checkpoints(0).checkpoint_id(), 5);
  EXPECT_EQ(stored.jobs(0).submitted_time_ms(), clock_.NowMs());
  EXPECT_EQ(Stored().leader_epoch(), 3);
}

TEST_F(LogJobStoreTest, DoneIsToldOnTheExecutorWhenTheEntryIsDurableAndInOrder) {
  const auto process = Start();
  ASSERT_TRUE(process->BecomeLeader());
  const size_t objects = storage_->objects().size();
  process->Append(Submission("a"));
  process->Append(Submission("b"));
  process->executor.RunAll();
  EXPECT_TRUE(process->results.empty());  // nothing was done where it was asked for
  EXPECT_EQ(storage_->objects().size(), objects);
  process->io.Step();
  EXPECT_EQ(storage_->objects().size(), objects + 1);
  EXPECT_TRUE(process->results.empty());  // not from the thread that stores
  process->executor.RunAll();
  EXPECT_THAT(process->results, ElementsAre("stored"));
  process->Append(AttemptOf("b", 1));
  process->RunAll();
  EXPECT_THAT(process->results, ElementsAre("stored", "stored", "stored"));
}

TEST_F(LogJobStoreTest, AfterAnErrorNothingIsStored) {
  const auto process = Start();
  ASSERT_TRUE(process->BecomeLeader());
  storage_->SetFaults([](const StorageCall& call) {
    return call.kind == Kind::kCommit ? StorageFault::kFull : StorageFault::kNone;
  });
  process->Append(Submission("a"));
  process->Append(Submission("b"));
  process->RunAll();
  storage_->SetFaults(nullptr);
  process->Append(Submission("c"));
  process->RunAll();
  ASSERT_EQ(process->results.size(), 3U);
  for (const std::string& result : process->results) EXPECT_THAT(result, HasSubstr("No space"));
  EXPECT_EQ(Stored().jobs_size(), 0);
}

TEST_F(LogJobStoreTest, AnEntryThatNobodyCouldReadBackIsNotWritten) {
  const auto process = Start();
  ASSERT_TRUE(process->BecomeLeader());
  process->Append(AttemptOf("a", 1));
  process->RunAll();
  EXPECT_THAT(process->results, ElementsAre(HasSubstr("no job a")));
  EXPECT_EQ(Stored().leader_epoch(), 2);
}

TEST_F(LogJobStoreTest, ANewLeaderDeposesTheOldOne) {
  const auto old_leader = Start(), new_leader = Start();
  ASSERT_TRUE(old_leader->BecomeLeader());
  old_leader->Append(Submission("a"));
  old_leader->RunAll();
  const auto state = new_leader->BecomeLeader();
  EXPECT_EQ(state->leader_epoch(), 2);
  EXPECT_EQ(state->jobs_size(), 1);
  old_leader->Append(Submission("b"));
  old_leader->RunAll();
  EXPECT_THAT(old_leader->results.back(), HasSubstr("another JobManager leads"));
  EXPECT_THAT(old_leader->results.back(), HasSubstr("log/00000000000000000003"));
  new_leader->Append(Submission("c"));
  new_leader->RunAll();
  EXPECT_THAT(new_leader->results, ElementsAre("stored"));
  const v1::StoredState stored = Stored();
  ASSERT_EQ(stored.jobs_size(), 2);
  EXPECT_EQ(stored.jobs(1).submission().job_id(), "c");
}

TEST_F(LogJobStoreTest, ACandidateThatIsOvertakenReadsAgain) {
  const auto leader = Start(), candidate = Start();
  ASSERT_TRUE(leader->BecomeLeader());
  storage_->SetFaults([&](const StorageCall& call) {
    if (call.kind == Kind::kCreate) {
      storage_->SetFaults(nullptr);
      leader->Append(Submission("a"));
      leader->RunAll();
    }
    return StorageFault::kNone;
  });
  const auto state = candidate->BecomeLeader();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->jobs_size(), 1);
  EXPECT_THAT(leader->results, ElementsAre("stored"));
}

TEST_F(LogJobStoreTest, TwoCandidatesWithTheSameWordsGetDifferentEpochs) {
  const auto one = Start(), two = Start();
  Result<v1::StoredState> first;
  storage_->SetFaults([&, calls = 0](const StorageCall& call) mutable {
    if (call.kind != Kind::kCommit || ++calls > 1) return StorageFault::kNone;
    first = one->BecomeLeader();
    return StorageFault::kFail;  // and the second does not know whether its own came through
  });
  const auto second = two->BecomeLeader();
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->leader_epoch(), 1);
  EXPECT_EQ(second->leader_epoch(), 2);
}

TEST_F(LogJobStoreTest, SnapshotsKeepTheLogShort) {
  const auto process = Start(10);
  ASSERT_TRUE(process->BecomeLeader());
  process->Append(Submission("a"));
  process->RunAll();
  for (int i = 1; i <= 200; ++i) {
    process->Append(AttemptOf("a", i));
    process->RunAll();
    EXPECT_LE(storage_->objects().size(), 11U);
    if (i % 7 == 0) {
      const v1::StoredState stored = Start(10)->BecomeLeader().value();
      EXPECT_EQ(stored.jobs(0).attempt(), i);
      ASSERT_TRUE(process->BecomeLeader());  // again the leader; only for this test
    }
  }
  for (const std::string& result : process->results) EXPECT_EQ(result, "stored");
  EXPECT_EQ(Stored().jobs(0).attempt(), 200);
}

TEST_F(LogJobStoreTest, ASnapshotThatFailsIsToldWithTheNextEntry) {
  const auto process = Start(2);
  ASSERT_TRUE(process->BecomeLeader());
  storage_->SetFaults([commits = 0](const StorageCall& call) mutable {
    if (call.kind == Kind::kCommit) ++commits;
    return commits > 1 ? StorageFault::kFail : StorageFault::kNone;
  });
  process->Append(Submission("a"));
  process->Append(Submission("b"));
  process->RunAll();
  ASSERT_EQ(process->results.size(), 2U);
  EXPECT_EQ(process->results[0], "stored");
  EXPECT_THAT(process->results[1], HasSubstr("injected"));
  storage_->SetFaults(nullptr);
  EXPECT_EQ(Stored().jobs_size(), 1);
}

TEST_F(LogJobStoreTest, TrimmingThatFailsIsNoFailure) {
  const auto process = Start(2);
  ASSERT_TRUE(process->BecomeLeader());
  storage_->SetFaults([](const StorageCall& call) {
    return call.kind == Kind::kDelete ? StorageFault::kFail : StorageFault::kNone;
  });
  for (const char* id : {"a", "b", "c", "d"}) process->Append(Submission(id));
  process->RunAll();
  EXPECT_THAT(process->results, testing::Each("stored"));
  EXPECT_EQ(Stored().jobs_size(), 4);
}

TEST_F(LogJobStoreTest, ADamagedEntryKeepsASuccessorFromStarting) {
  const auto process = Start();
  ASSERT_TRUE(process->BecomeLeader());
  process->Append(Submission("a"));
  process->RunAll();
  ASSERT_TRUE(storage_->Flip("log/00000000000000000002", 60));
  const auto state = Start()->BecomeLeader();
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("memory://storage/log/00000000000000000002"));
}

TEST_F(LogJobStoreTest, DestroyedItStoresNothingNewAndTellsNobody) {
  const auto process = Start();
  ASSERT_TRUE(process->BecomeLeader());
  process->Append(Submission("a"));
  process->Append(Submission("b"));
  process->io.Step();
  process->store.reset();
  process->RunAll();
  EXPECT_TRUE(process->results.empty());
  EXPECT_EQ(Stored().jobs_size(), 1);
}

TEST(MemoryJobStore, AddsUpTheSameAndTellsOnTheExecutor) {
  SteppedExecutor executor;
  const auto store = MakeMemoryJobStore(&executor, &executor);
  const auto state = store->BecomeLeader({});
  ASSERT_TRUE(state);
  EXPECT_EQ(state->leader_epoch(), executor.NowMs());
  EXPECT_EQ(state->jobs_size(), 0);
  std::vector<std::string> results;
  const auto note = [&](const Status& status) {
    results.push_back(status ? "stored" : status.error().message);
  };
  store->Append(Submission("a"), note);
  store->Append(AttemptOf("a", 1), note);
  store->Append(AttemptOf("a", 1), note);
  store->Append(AttemptOf("a", 2), note);
  EXPECT_TRUE(results.empty());
  executor.RunAll();
  EXPECT_THAT(results,
              ElementsAre("stored", "stored", HasSubstr("attempt 1"), HasSubstr("attempt 1")));
}

TEST(MemoryJobStore, DestroyedItTellsNobody) {
  SteppedExecutor executor;
  auto store = MakeMemoryJobStore(&executor, &executor);
  ASSERT_TRUE(store->BecomeLeader({}));
  store->Append(Submission("a"), [](const Status&) { FAIL(); });
  store.reset();
  executor.RunAll();
}

}  // namespace
}  // namespace watershed
