#include "runtime/job/regions.h"

#include <gtest/gtest.h>

#include <string>

namespace watershed {
namespace {

class RegionsTest : public testing::Test {
 protected:
  void AddVertex(const std::string& id, int32_t parallelism) {
    v1::Vertex* vertex = plan_.add_vertices();
    vertex->set_id(id);
    vertex->set_parallelism(parallelism);
  }
  void AddExchange(const std::string& source, const std::string& target) {
    v1::Edge* edge = plan_.add_edges();
    edge->set_source_vertex_id(source);
    edge->set_target_vertex_id(target);
  }

  v1::PhysicalPlan plan_;
};

TEST_F(RegionsTest, AVertexWithoutAnExchangeHasOneForEachSubtask) {
  AddVertex("a", 3);
  const Regions regions = Regions::Of(plan_);
  EXPECT_EQ(regions.count(), 3);
  for (int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(regions.Find("a", i), i);
    EXPECT_TRUE(regions.IsAlone(i));
  }
}

TEST_F(RegionsTest, ExchangesJoinAllSubtasksOfTheirVertices) {
  AddVertex("source", 3);
  AddVertex("window", 2);
  AddVertex("total", 1);
  AddExchange("source", "window");
  AddExchange("window", "total");
  const Regions regions = Regions::Of(plan_);
  EXPECT_EQ(regions.count(), 1);
  EXPECT_EQ(regions.Find("source", 2), 0);
  EXPECT_EQ(regions.Find("window", 1), 0);
  EXPECT_EQ(regions.Find("total", 0), 0);
  EXPECT_FALSE(regions.IsAlone(0));
}

// Also by a vertex that comes later in the plan than what it joins.
TEST_F(RegionsTest, PipelinesThatMeetAreOne) {
  for (const char* id : {"a", "b", "c", "both", "all"}) AddVertex(id, 2);
  AddExchange("a", "both");
  AddExchange("b", "both");
  AddExchange("c", "all");
  AddExchange("both", "all");
  EXPECT_EQ(Regions::Of(plan_).count(), 1);
}

TEST_F(RegionsTest, PipelinesApartAreNumberedInThePlansOrder) {
  AddVertex("a", 2);
  AddVertex("chain", 2);
  AddVertex("b", 4);
  AddVertex("b/window", 2);
  AddVertex("a/window", 2);
  AddExchange("b", "b/window");
  AddExchange("a", "a/window");
  const Regions regions = Regions::Of(plan_);
  EXPECT_EQ(regions.count(), 4);
  EXPECT_EQ(regions.Find("a", 1), 0);
  EXPECT_EQ(regions.Find("a/window", 0), 0);
  EXPECT_EQ(regions.Find("chain", 0), 1);
  EXPECT_EQ(regions.Find("chain", 1), 2);
  EXPECT_EQ(regions.Find("b", 3), 3);
  EXPECT_EQ(regions.Find("b/window", 1), 3);
  EXPECT_TRUE(regions.IsAlone(2));
  EXPECT_FALSE(regions.IsAlone(3));
}

TEST_F(RegionsTest, WhatThePlanDoesNotHaveIsInNone) {
  AddVertex("a", 2);
  for (const Regions& regions : {Regions::Of(plan_), Regions::One(plan_)}) {
    EXPECT_EQ(regions.Find("b", 0), -1);
    EXPECT_EQ(regions.Find("a", 2), -1);
    EXPECT_EQ(regions.Find("a", -1), -1);
  }
}

TEST_F(RegionsTest, AllTogetherAreOneWhateverJoinsThem) {
  AddVertex("a", 2);
  AddVertex("b", 1);
  const Regions regions = Regions::One(plan_);
  EXPECT_EQ(regions.count(), 1);
  EXPECT_EQ(regions.Find("a", 1), 0);
  EXPECT_EQ(regions.Find("b", 0), 0);
  EXPECT_FALSE(regions.IsAlone(0));  // it needs to know of its peers
}

}  // namespace
}  // namespace watershed
