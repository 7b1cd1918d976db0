#include "jobmanager/scheduler/slot_assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(SlotAssignmentTest, AJobNeedsItsLargestParallelism) {
  v1::PhysicalPlan plan;
  EXPECT_EQ(SlotsNeeded(plan), 0);
  for (const int parallelism : {2, 4, 1}) plan.add_vertices()->set_parallelism(parallelism);
  EXPECT_EQ(SlotsNeeded(plan), 4);
}

TEST(SlotAssignmentTest, SlotsAlternateSoThatEveryPrefixIsSpread) {
  EXPECT_THAT(AssignSlots(4, {{"a", 4, 4}, {"b", 4, 4}}),
              Optional(ElementsAre("a", "b", "a", "b")));
  EXPECT_THAT(AssignSlots(3, {{"a", 2, 4}, {"b", 4, 4}, {"c", 1, 1}}),
              Optional(ElementsAre("b", "a", "c")));
}

TEST(SlotAssignmentTest, FullTaskManagersArePassedOver) {
  EXPECT_THAT(AssignSlots(3, {{"a", 0, 2}, {"b", 1, 2}, {"c", 2, 2}}),
              Optional(ElementsAre("c", "b", "c")));
  EXPECT_THAT(AssignSlots(1, {{"a", -1, 2}, {"b", 1, 2}}), Optional(ElementsAre("b")));
}

TEST(SlotAssignmentTest, TooFewSlotsAreARefusalWithAReason) {
  const std::vector<FreeSlots> cluster = {{"a", 1, 1}, {"b", 1, 3}};
  EXPECT_FALSE(AssignSlots(3, cluster));
  EXPECT_EQ(MissingSlotsReason(4, {{"a", 2, 2}}),
            "waiting for 2 more slots: job needs 4, cluster has 2 free of 2");
  EXPECT_EQ(MissingSlotsReason(3, cluster),
            "waiting for 1 more slot: job needs 3, cluster has 2 free of 4");
  EXPECT_EQ(MissingSlotsReason(1, {}),
            "waiting for 1 more slot: job needs 1, cluster has 0 free of 0; no TaskManager is "
            "registered");
}

}  // namespace
}  // namespace watershed
