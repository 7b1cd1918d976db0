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

TEST(SlotAssignmentTest, APlanIsMadeToFitByItsLargerVerticesAlone) {
  v1::PhysicalPlan plan;
  plan.set_max_parallelism(128);
  for (const int parallelism : {2, 4, 1}) plan.add_vertices()->set_parallelism(parallelism);
  const v1::PhysicalPlan fitted = FitTo(2, plan);
  std::vector<int> parallelisms;
  for (const v1::Vertex& vertex : fitted.vertices()) parallelisms.push_back(vertex.parallelism());
  EXPECT_THAT(parallelisms, ElementsAre(2, 2, 1));
  EXPECT_EQ(fitted.max_parallelism(), 128);
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

TEST(SlotAssignmentTest, ThoseThatLeaveAreNotTakenAndNamed) {
  const FreeSlots leaving{"a", 2, 2, /*leaving=*/true}, also_leaving{"b", 2, 2, /*leaving=*/true};
  EXPECT_FALSE(AssignSlots(1, {leaving}));
  EXPECT_EQ(CountFree({leaving, {"c", 1, 1}}), 1);
  EXPECT_EQ(
      MissingSlotsReason(1, {leaving}),
      "waiting for 1 more slot: job needs 1, cluster has 0 free of 0; the only TaskManager is "
      "leaving");
  EXPECT_EQ(MissingSlotsReason(1, {leaving, also_leaving}),
            "waiting for 1 more slot: job needs 1, cluster has 0 free of 0; all 2 TaskManagers are "
            "leaving");
  EXPECT_EQ(MissingSlotsReason(2, {leaving, {"c", 1, 1}}),
            "waiting for 1 more slot: job needs 2, cluster has 1 free of 1; 1 TaskManager more is "
            "leaving");
}

}  // namespace
}  // namespace watershed
