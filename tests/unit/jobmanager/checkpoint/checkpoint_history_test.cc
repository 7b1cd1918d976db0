// What is remembered of checkpoints, and that it does not grow with their number.
#include "jobmanager/checkpoint/checkpoint_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

constexpr int32_t kSubtasks = 3;
constexpr size_t kShown = 10;

class CheckpointHistoryTest : public testing::Test {
 protected:
  void Trigger(int64_t id) { history_.OnTriggered(CheckpointId{id}, false, kSubtasks, 1000 * id); }
  void AddPart(int64_t id, int32_t subtask) {
    v1::SubtaskSnapshot part;
    part.set_vertex_id("v1");
    part.set_subtask(subtask);
    part.mutable_figures()->set_state_bytes(10 * id + subtask);
    history_.OnPart(CheckpointId{id}, part, 1000 * id + 1);
  }
  void Complete(int64_t id) {
    Trigger(id);
    for (int32_t subtask = 0; subtask < kSubtasks; ++subtask) AddPart(id, subtask);
    v1::CheckpointRef ref;
    ref.set_checkpoint_id(id);
    history_.OnCompleted(ref);
  }

  CheckpointHistory history_{"file:///ck/job", CheckpointSettings{}};
};

TEST_F(CheckpointHistoryTest, TheLatestSavepointIsToldFromTheLatestCheckpoint) {
  for (const int64_t id : {1, 2, 3}) {
    v1::CheckpointRef ref;
    ref.set_checkpoint_id(id);
    ref.set_is_savepoint(id == 2);
    if (id == 2) ref.set_savepoint_path("file:///sp/savepoint-2");
    ref.mutable_manifest()->set_name("chk-" + std::to_string(id) + "/_metadata");
    history_.OnTriggered(CheckpointId{id}, id == 2, /*subtasks=*/1, /*now_ms=*/id);
    history_.OnCompleted(ref);
    EXPECT_EQ(history_.statistics().latest_completed().id(), id);
  }
  const v1::CheckpointStatistics& shown = history_.statistics();
  EXPECT_EQ(shown.latest_savepoint().id(), 2);
  EXPECT_EQ(shown.latest_savepoint().savepoint_path(), "file:///sp/savepoint-2");
  EXPECT_EQ(shown.latest_not_savepoint().id(), 3);
  EXPECT_EQ(shown.latest_not_savepoint().path(), "file:///ck/job/chk-3");
}

TEST_F(CheckpointHistoryTest, DetailsAreOfTheLastTen) {
  for (int64_t id = 1; id <= 12; ++id) Complete(id);
  EXPECT_FALSE(history_.Details(CheckpointId{2}));
  const auto details = history_.Details(CheckpointId{3});
  ASSERT_TRUE(details);
  EXPECT_EQ(details->summary().status(), v1::CheckpointSummary::COMPLETED);
  ASSERT_EQ(details->subtasks_size(), kSubtasks);
  EXPECT_EQ(details->subtasks(2).state_bytes(), 32);
  EXPECT_EQ(details->subtasks(2).answered_time_ms(), 3001);
}

TEST_F(CheckpointHistoryTest, MemoryDoesNotGrowWithTheNumberOfCheckpoints) {
  for (int64_t id = 1; id <= 1000; ++id) {
    Complete(id);
    ASSERT_LE(history_.parts_held(), kShown * kSubtasks) << "after checkpoint " << id;
  }
  EXPECT_EQ(history_.parts_held(), kShown * kSubtasks);
  EXPECT_EQ(history_.statistics().recent_size(), int{kShown});
}

TEST_F(CheckpointHistoryTest, PartsOfFailedAndForgottenCheckpointsGoToo) {
  for (int64_t id = 1; id <= 11; ++id) {
    Trigger(id);
    AddPart(id, 0);
    AddPart(id, 0);  // told twice
    history_.OnFailed(CheckpointId{id}, "disk full", 0);
  }
  EXPECT_EQ(history_.parts_held(), kShown);
  AddPart(1, 1);  // late, of one that is shown no longer
  AddPart(77, 0);
  EXPECT_EQ(history_.parts_held(), kShown);
}

}  // namespace
}  // namespace watershed
