// Output that is not committed yet: how much of it stays in memory, whatever storage and target do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/engine/unconfirmed_epochs.h"
#include "runtime/memory/memory_account.h"
#include "tests/support/snapshot_rig.h"
#include "tests/unit/engine/checkpointed_job.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kSessions = 20'000;
constexpr int64_t kSinkBytes = 1 << 20;
// A slice of what a watermark fires may come on top.
constexpr int64_t kMostBytes = 2 * kSinkBytes;

class SinkMemoryTest : public ::testing::Test {
 protected:
  // One session a key, about 4 MB of output: all of it in one epoch, because all sessions end with
  // the input.
  SinkMemoryTest() {
    MemoryLimits limits;
    limits.shares_bytes.fill(int64_t{1} << 30);
    limits.shares_bytes[static_cast<size_t>(MemoryShare::kSinks)] = kSinkBytes;
    account_ = std::make_unique<MemoryAccount>(limits);
    for (int i = 0; i < kSessions; ++i) {
      world_->log["split-0"].emplace_back(fmt::format("{:0200}", i), 1000 + i % 2);
    }
    world_->rows_per_poll = 200;
    job_ = std::make_unique<CheckpointedJob>(world_, storage_);
    job_->memory = account_.get();
  }
  int64_t used() const { return account_->used_bytes(MemoryShare::kSinks); }
  int64_t peak() const { return account_->peak_bytes(MemoryShare::kSinks); }
  int64_t BytesWritten() const {
    int64_t bytes = 0;
    for (const auto& [name, content] : storage_->objects()) {
      bytes += static_cast<int64_t>(content.size());
    }
    return bytes;
  }
  void FinishWith(int64_t checkpoint) {
    job_->Take(checkpoint);
    job_->Complete(checkpoint);
    ASSERT_TRUE(job_->RunToTheEnd());
    EXPECT_EQ(world_->visible.size(), size_t{kSessions});
    EXPECT_THAT(world_->commits, ::testing::ElementsAre(fmt::format("0/{}", checkpoint)));
    EXPECT_LE(peak(), kMostBytes);
    EXPECT_EQ(used(), 0);
  }

  std::shared_ptr<LogWorld> world_ = std::make_shared<LogWorld>();
  ManualClock storage_clock_;
  std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&storage_clock_);
  std::unique_ptr<MemoryAccount> account_;
  std::unique_ptr<CheckpointedJob> job_;
};

TEST_F(SinkMemoryTest, ALongEpochLeavesMemoryPartByPartAndIsCommittedAsOne) {
  job_->Start(1);
  ASSERT_TRUE(job_->RunUntil([&] { return job_->AllEnded(); }));
  EXPECT_GT(BytesWritten(), 3 * kSinkBytes);  // before any barrier
  EXPECT_THAT(world_->visible, IsEmpty());
  FinishWith(1);
}

TEST_F(SinkMemoryTest, ARestoredJobCommitsWhatLeftMemory) {
  job_->Start(1);
  ASSERT_TRUE(job_->RunUntil([&] { return job_->AllEnded(); }));
  const v1::CheckpointManifest manifest = job_->Take(1);
  job_->Kill();
  job_->Start(1, &manifest);
  ASSERT_TRUE(job_->RunUntil([&] { return world_->visible.size() == size_t{kSessions}; }));
  EXPECT_THAT(world_->commits, ::testing::ElementsAre("0/1"));
  EXPECT_LE(peak(), kMostBytes);
}

TEST_F(SinkMemoryTest, AStorageAtAStandstillHoldsTheJobBackAndNothingElse) {
  job_->hold_io = true;
  job_->Start(1);
  EXPECT_FALSE(job_->RunUntil([&] { return job_->AllEnded(); }));
  EXPECT_GE(used(), kSinkBytes);
  EXPECT_LE(used(), kMostBytes);
  job_->hold_io = false;
  ASSERT_TRUE(job_->RunUntil([&] { return job_->AllEnded(); }));
  FinishWith(1);
}

TEST_F(SinkMemoryTest, AStorageThatFailsIsAskedAgainAndNamed) {
  storage_->SetFaults([](const StorageCall& call) {
    return call.kind == StorageCall::Kind::kAppend ? StorageFault::kFail : StorageFault::kNone;
  });
  job_->Start(1);
  ASSERT_TRUE(job_->RunUntil([&] { return !job_->window().status().degraded_reason.empty(); }));
  EXPECT_THAT(job_->window().status().degraded_reason, HasSubstr("sink 'out' subtask 0"));
  EXPECT_THAT(job_->window().status().degraded_reason, HasSubstr("bytes of output wait in memory"));
  EXPECT_FALSE(job_->AllEnded());
  EXPECT_LE(used(), kMostBytes);
  storage_->SetFaults(nullptr);
  ASSERT_TRUE(job_->RunUntil([&] { return job_->AllEnded(); }));
  EXPECT_THAT(job_->window().status().degraded_reason, IsEmpty());
  FinishWith(1);
}

// A cancel does not wait for what is being written.
TEST(UnconfirmedEpochsTest, ASnapshotThatIsNeverWrittenGoesWithItsTask) {
  test::SnapshotRig rig;
  std::weak_ptr<PendingSnapshot> pending;
  {
    UnconfirmedEpochs epochs(rig.NewTarget(), kSinkBytes, [](const Status&) {});
    const CheckpointId id{7};
    SinkSegment segment{.epoch = id, .rows = 1, .payload = std::string(100'000, 'x')};
    epochs.Close(id, SinkEpoch{id, {std::move(segment)}, 1});
    const auto snapshot = std::make_shared<PendingSnapshot>(Barrier{id, 0, false});
    epochs.Snapshot(snapshot, snapshot->message().add_sinks());
    EXPECT_EQ(rig.io().waiting(), 1U);
    pending = snapshot;
  }
  rig.Crash();
  EXPECT_TRUE(pending.expired());
}

}  // namespace
}  // namespace watershed
