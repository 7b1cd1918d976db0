#include "runtime/status/job_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/types/event_time.h"

namespace watershed {
namespace {

v1::SubtaskStatus* AddSubtask(v1::JobDetails& job, const std::string& vertex, int subtask,
                              v1::TaskState state) {
  v1::SubtaskStatus* status = job.add_subtasks();
  status->set_vertex_id(vertex);
  status->set_subtask(subtask);
  status->set_state(state);
  return status;
}

v1::Vertex* AddVertex(v1::JobDetails& job, const std::string& id, int parallelism) {
  v1::Vertex* vertex = job.mutable_plan()->add_vertices();
  vertex->set_id(id);
  vertex->set_parallelism(parallelism);
  return vertex;
}

TEST(JobStatusTest, NamesAreFlinks) {
  EXPECT_EQ(NameOf(v1::CANCELLING), "CANCELLING");
  EXPECT_EQ(NameOf(v1::TASK_CANCELING), "CANCELING");
  EXPECT_EQ(NameOf(static_cast<v1::JobState>(99)), "UNKNOWN");
  EXPECT_EQ(NameOf(v1::TASK_STATE_UNSPECIFIED), "UNKNOWN");
}

TEST(JobStatusTest, SumsSubtasksOfEachVertex) {
  v1::JobDetails job;
  AddVertex(job, "a", 2)->add_nodes()->mutable_table_source_scan();
  AddVertex(job, "b", 1)->add_nodes()->mutable_sink();
  // Out of order on purpose: the result is sorted by subtask.
  auto* second = AddSubtask(job, "a", 1, v1::TASK_RUNNING);
  auto* first = AddSubtask(job, "a", 0, v1::TASK_RUNNING);
  auto* sink = AddSubtask(job, "b", 0, v1::TASK_RUNNING);
  AddSubtask(job, "gone", 0, v1::TASK_RUNNING);
  first->mutable_counters()->set_records_in(3);
  first->mutable_counters()->set_input_watermark_ms(2000);
  first->mutable_counters()->set_source_lag_records(-1);
  first->set_start_time_ms(50);
  second->mutable_counters()->set_records_in(4);
  second->mutable_counters()->set_input_watermark_ms(1000);
  second->mutable_counters()->set_source_lag_records(7);
  second->set_start_time_ms(40);
  second->set_message("broker down");
  sink->mutable_counters()->set_records_out(5);
  sink->mutable_counters()->set_late_records(2);

  auto totals = TotalsByVertex(job);
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals[0].records_in.value, 7);
  EXPECT_TRUE(totals[0].records_in.complete);
  EXPECT_EQ(totals[0].source_lag_records.value, 7);
  EXPECT_FALSE(totals[0].source_lag_records.complete);
  EXPECT_EQ(totals[0].watermark_ms, 1000);
  EXPECT_EQ(totals[0].start_time_ms, 40);
  EXPECT_EQ(totals[0].end_time_ms, -1);
  EXPECT_EQ(totals[0].message, "subtask 1: broker down");
  ASSERT_EQ(totals[0].subtasks.size(), 2u);
  EXPECT_EQ(totals[0].subtasks[0]->subtask(), 0);

  JobTotals all = TotalsOfJob(totals);
  EXPECT_EQ(all.records_in.value, 7);
  EXPECT_EQ(all.records_out.value, 5);
  EXPECT_EQ(all.late_records.value, 2);
  EXPECT_FALSE(all.source_lag_records.complete);
}

TEST(JobStatusTest, DeadLettersAreNoOutputOfTheJob) {
  v1::JobDetails job;
  v1::Vertex* source = AddVertex(job, "a", 1);
  source->add_nodes()->mutable_table_source_scan();
  v1::PlanNode* letters = source->add_nodes();
  letters->mutable_sink();
  letters->add_inputs()->set_side_output("dead-letters");
  AddVertex(job, "b", 1)->add_nodes()->mutable_sink();
  v1::TaskCounters* counters = AddSubtask(job, "a", 0, v1::TASK_RUNNING)->mutable_counters();
  counters->set_records_out(100);
  counters->set_dead_letter_records(3);
  AddSubtask(job, "b", 0, v1::TASK_RUNNING)->mutable_counters()->set_records_out(5);
  const JobTotals all = TotalsOfJob(TotalsByVertex(job));
  EXPECT_EQ(all.records_out.value, 5);
  EXPECT_EQ(all.dead_letter_records.value, 3);
}

TEST(JobStatusTest, UnknownCountersAreNotZero) {
  v1::JobDetails job;
  AddVertex(job, "a", 1);
  AddSubtask(job, "a", 0, v1::TASK_CREATED);
  auto totals = TotalsByVertex(job);
  EXPECT_FALSE(totals[0].records_in.known);
  EXPECT_FALSE(totals[0].records_in.complete);
  EXPECT_EQ(totals[0].watermark_ms, kMinWatermarkMs);
}

struct AggregateCase {
  std::vector<v1::TaskState> subtasks;
  v1::TaskState expected;
};

TEST(JobStatusTest, VertexStateIsDerivedAsInFlink) {
  const AggregateCase cases[] = {
      {{}, v1::TASK_CREATED},
      {{v1::TASK_CREATED, v1::TASK_SCHEDULED}, v1::TASK_SCHEDULED},
      {{v1::TASK_DEPLOYING, v1::TASK_SCHEDULED}, v1::TASK_DEPLOYING},
      {{v1::TASK_INITIALIZING, v1::TASK_RUNNING}, v1::TASK_INITIALIZING},
      {{v1::TASK_RUNNING, v1::TASK_FINISHED}, v1::TASK_RUNNING},
      {{v1::TASK_FINISHED, v1::TASK_FINISHED}, v1::TASK_FINISHED},
      {{v1::TASK_FINISHED, v1::TASK_CREATED}, v1::TASK_RUNNING},
      {{v1::TASK_CANCELED, v1::TASK_CANCELING}, v1::TASK_CANCELING},
      {{v1::TASK_FAILED, v1::TASK_CANCELING}, v1::TASK_FAILED},
  };
  for (const AggregateCase& c : cases) {
    v1::JobDetails job;
    AddVertex(job, "a", static_cast<int>(c.subtasks.size()));
    for (size_t i = 0; i < c.subtasks.size(); ++i) AddSubtask(job, "a", i, c.subtasks[i]);
    EXPECT_EQ(TotalsByVertex(job)[0].state, c.expected) << v1::TaskState_Name(c.expected);
  }
}

TEST(JobStatusTest, EndTimeNeedsEverySubtaskEnded) {
  v1::JobDetails job;
  AddVertex(job, "a", 2);
  AddSubtask(job, "a", 0, v1::TASK_FINISHED)->set_end_time_ms(10);
  AddSubtask(job, "a", 1, v1::TASK_CANCELED)->set_end_time_ms(20);
  EXPECT_EQ(TotalsByVertex(job)[0].end_time_ms, 20);
  job.mutable_subtasks(1)->set_state(v1::TASK_CANCELING);
  EXPECT_EQ(TotalsByVertex(job)[0].end_time_ms, -1);
}

TEST(JobStatusTest, WritesTimesInUtcWithMilliseconds) {
  EXPECT_EQ(IsoTime(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(IsoTime(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(IsoTime(1795257000123), "2026-11-21T10:30:00.123Z");
  EXPECT_EQ(WatermarkText(kMinWatermarkMs), "");
  EXPECT_EQ(WatermarkText(kMaxWatermarkMs), "end-of-input");
  EXPECT_EQ(WatermarkText(kMaxWatermarkMs - 1), "292278994-08-17T07:12:55.806Z");
}

}  // namespace
}  // namespace watershed
