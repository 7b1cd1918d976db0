// What a checkpoint at one parallelism gives to a plan at another: everything, once.
#include "runtime/checkpoint/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "runtime/types/event_time.h"
#include "runtime/types/key_group.h"

namespace watershed {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int32_t kKeyGroups = 128;
constexpr int kSplits = 7;

// events -> keyed window "w" -> sink "out"
v1::PhysicalPlan Plan(int32_t source_parallelism, int32_t window_parallelism) {
  v1::PhysicalPlan plan;
  plan.set_max_parallelism(kKeyGroups);
  v1::Vertex* source = plan.add_vertices();
  source->set_id("source-vertex");
  source->set_name("Source: events");
  source->set_parallelism(source_parallelism);
  v1::PlanNode* scan = source->add_nodes();
  scan->set_id("events");
  scan->set_name("TableSourceScan(events)");
  auto* connector = scan->mutable_table_source_scan()->mutable_connector();
  connector->set_name("kafka");
  (*connector->mutable_options())["topic"] = "t0;t1";
  v1::Vertex* window = plan.add_vertices();
  window->set_id("window-vertex");
  window->set_name("w -> out");
  window->set_parallelism(window_parallelism);
  v1::PlanNode* node = window->add_nodes();
  node->set_id("w");
  node->set_name("WindowAggregate(w)");
  v1::Field* ip = node->mutable_input_schema()->add_fields();
  ip->set_name("ip");
  ip->mutable_type()->set_kind(v1::DataType::STRING);
  auto* aggregate = node->mutable_window_aggregate()->mutable_aggregate();
  aggregate->add_keys("ip");
  aggregate->mutable_window()->mutable_session()->set_gap_ms(300'000);
  v1::AggregateCall* count = aggregate->add_aggregates();
  count->set_function(v1::AggregateCall::COUNT_STAR);
  count->set_output_column("n");
  count->mutable_output_type()->set_kind(v1::DataType::INT64);
  v1::PlanNode* sink = window->add_nodes();
  sink->set_id("out");
  sink->set_name("Sink(out)");
  sink->add_inputs()->set_node_id("w");
  *sink->mutable_input_schema() = node->input_schema();
  sink->mutable_sink()->mutable_connector()->set_name("postgres");
  return plan;
}

void AddSourceParts(int32_t parallelism, v1::CheckpointManifest* manifest) {
  for (int32_t i = 0; i < parallelism; ++i) {
    v1::SubtaskSnapshot* part = manifest->add_subtasks();
    part->set_vertex_id("source-vertex");
    part->set_subtask(i);
    for (int split = i; split < kSplits; split += parallelism) {
      v1::SplitSnapshot* snapshot = part->add_splits();
      snapshot->set_split_id(fmt::format("s{}", split));
      snapshot->set_topic(fmt::format("t{}", split % 2));
      snapshot->set_partition(split / 2);
      snapshot->set_next_position(100 + split);
      if (split == 3) snapshot->set_end_position(500);
      snapshot->set_watermark_ms(1000 + split);
      part->set_watermark_ms(900 - i);
    }
  }
}

// `writers` of the sink in all, dealt out as after earlier restores.
v1::CheckpointManifest Manifest(int32_t source_parallelism, int32_t window_parallelism,
                                int32_t writers) {
  v1::CheckpointManifest manifest;
  manifest.set_job_id("0123");
  manifest.set_checkpoint_id(7);
  *manifest.mutable_plan() = Plan(source_parallelism, window_parallelism);
  AddSourceParts(source_parallelism, &manifest);
  for (int32_t i = 0; i < window_parallelism; ++i) {
    v1::SubtaskSnapshot* part = manifest.add_subtasks();
    part->set_vertex_id("window-vertex");
    part->set_subtask(i);
    part->set_watermark_ms(700 + i);
    v1::OperatorSnapshot* op = part->add_operators();
    op->set_operator_id("w");
    (*op->mutable_sections())["from"] = std::to_string(i);
    const KeyGroupRange range = RangeOfSubtask(SubtaskIndex{i}, kKeyGroups, window_parallelism);
    op->mutable_keyed_state()->set_first_key_group(range.first);
    op->mutable_keyed_state()->set_last_key_group(range.last);
    for (int32_t writer = i; writer < writers; writer += window_parallelism) {
      v1::SinkSnapshot* sink = part->add_sinks();
      sink->set_operator_id("out");
      sink->set_writer(writer);
      sink->set_last_confirmed_epoch(6);
      sink->add_unconfirmed()->set_epoch(7);
    }
  }
  return manifest;
}

class RescaleTest : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  const int32_t before_ = std::get<0>(GetParam());
  const int32_t after_ = std::get<1>(GetParam());
  const v1::CheckpointManifest manifest_ = Manifest(before_, before_, 5);
  const RestoreAssignment assignment_ = AssignRestore(manifest_, Plan(after_, after_)).value();
};

TEST_P(RescaleTest, EveryKeyGroupIsCoveredByOneFormerSubtaskOfItsNewOwner) {
  for (int32_t group = 0; group < kKeyGroups; ++group) {
    const int32_t owner = SubtaskOfKeyGroup(KeyGroup{group}, kKeyGroups, after_).value;
    int covered = 0;
    for (const auto& op : assignment_.subtasks.at({"window-vertex", owner}).operators()) {
      EXPECT_EQ(op.operator_id(), "w");
      const auto& state = op.keyed_state();
      covered += state.first_key_group() <= group && group <= state.last_key_group();
    }
    EXPECT_EQ(covered, 1) << "key group " << group;
  }
  for (int32_t i = 0; i < after_; ++i) {
    const KeyGroupRange own = RangeOfSubtask(SubtaskIndex{i}, kKeyGroups, after_);
    for (const auto& op : assignment_.subtasks.at({"window-vertex", i}).operators()) {
      EXPECT_LE(op.keyed_state().first_key_group(), own.last);
      EXPECT_GE(op.keyed_state().last_key_group(), own.first);
      EXPECT_EQ(op.sections().size(), 1U);
    }
  }
}

TEST_P(RescaleTest, EverySplitGoesToOneSubtaskWithItsPositionAndWatermark) {
  const auto& splits = assignment_.splits.at("source-vertex");
  ASSERT_EQ(splits.size(), static_cast<size_t>(after_));
  std::set<std::string> seen;
  for (int32_t i = 0; i < after_; ++i) {
    const auto& restored = assignment_.subtasks.at({"source-vertex", i}).splits();
    const auto& own = splits[static_cast<size_t>(i)];
    ASSERT_EQ(static_cast<size_t>(restored.size()), own.size());
    for (size_t s = 0; s < own.size(); ++s) {
      const v1::Split& split = own[s];
      const int number = split.id()[1] - '0';
      EXPECT_TRUE(seen.insert(split.id()).second);
      EXPECT_EQ(split.topic(), fmt::format("t{}", number % 2));
      EXPECT_EQ(split.partition(), number / 2);
      EXPECT_EQ(split.start_position(), 100 + number);
      EXPECT_EQ(split.has_end_position(), number == 3);
      const v1::SplitSnapshot& snapshot = restored[static_cast<int>(s)];
      EXPECT_EQ(snapshot.split_id(), split.id());
      EXPECT_EQ(snapshot.watermark_ms(), 1000 + number);
    }
    EXPECT_LE(own.size(), static_cast<size_t>((kSplits + after_ - 1) / after_));
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kSplits));
}

TEST_P(RescaleTest, EveryWriterGoesToOneSubtask) {
  std::set<int32_t> seen;
  for (int32_t i = 0; i < after_; ++i) {
    for (const auto& sink : assignment_.subtasks.at({"window-vertex", i}).sinks()) {
      EXPECT_EQ(sink.writer() % after_, i);
      EXPECT_TRUE(seen.insert(sink.writer()).second);
      EXPECT_EQ(sink.unconfirmed_size(), 1);
    }
  }
  EXPECT_EQ(seen, (std::set<int32_t>{0, 1, 2, 3, 4}));
}

TEST_P(RescaleTest, TheWatermarkIsTheMinimum) {
  for (int32_t i = 0; i < after_; ++i) {
    EXPECT_EQ(assignment_.subtasks.at({"window-vertex", i}).watermark_ms(), 700);
    EXPECT_EQ(assignment_.subtasks.at({"source-vertex", i}).watermark_ms(), 900 - (before_ - 1));
    EXPECT_EQ(assignment_.subtasks.at({"window-vertex", i}).checkpoint_id(), 7);
  }
}

INSTANTIATE_TEST_SUITE_P(OneToFour, RescaleTest,
                         testing::Combine(testing::Range(1, 5), testing::Range(1, 5)));

TEST(Restore, WithoutAWatermarkOfOneThereIsNone) {
  v1::CheckpointManifest manifest = Manifest(2, 2, 2);
  manifest.mutable_subtasks(3)->clear_watermark_ms();
  const auto assignment = AssignRestore(manifest, Plan(2, 2)).value();
  EXPECT_FALSE(assignment.subtasks.at({"window-vertex", 0}).has_watermark_ms());
  EXPECT_TRUE(assignment.subtasks.at({"source-vertex", 0}).has_watermark_ms());
}

TEST(Restore, ASourceSubtaskWithoutSplitsDoesNotHoldTheWatermarkBack) {
  // 9 subtasks, 7 splits: the last two have read nothing.
  const auto assignment = AssignRestore(Manifest(9, 1, 1), Plan(1, 1)).value();
  EXPECT_EQ(assignment.subtasks.at({"source-vertex", 0}).watermark_ms(), 900 - 6);
}

TEST(Restore, WhatIsHeldWithoutKeysStaysWholeWithOne) {
  v1::CheckpointManifest manifest = Manifest(1, 4, 4);
  for (v1::SubtaskSnapshot& part : *manifest.mutable_subtasks()) {
    for (v1::OperatorSnapshot& op : *part.mutable_operators()) op.clear_keyed_state();
  }
  const auto assignment = AssignRestore(manifest, Plan(1, 3)).value();
  std::multiset<std::string> from;
  for (const auto& [key, restore] : assignment.subtasks) {
    for (const auto& op : restore.operators()) from.insert(op.sections().at("from"));
  }
  EXPECT_EQ(from, (std::multiset<std::string>{"0", "1", "2", "3"}));
}

TEST(Restore, NewOperatorsBeginEmptyAndOperatorsAreFoundInOtherVertices) {
  v1::PhysicalPlan plan = Plan(1, 2);
  plan.mutable_vertices(1)->set_id("moved");
  v1::Vertex* added = plan.add_vertices();
  added->set_id("added");
  added->set_parallelism(2);
  added->add_nodes()->set_id("new");
  const auto assignment = AssignRestore(Manifest(1, 2, 2), plan).value();
  EXPECT_EQ(assignment.subtasks.at({"moved", 1}).operators_size(), 1);
  EXPECT_EQ(assignment.subtasks.at({"moved", 1}).watermark_ms(), 700);
  EXPECT_FALSE(assignment.subtasks.contains({"added", 0}));
}

TEST(Restore, WhoeverHadEndedBeginsWithoutAWatermark) {
  v1::CheckpointManifest manifest = Manifest(1, 2, 2);
  for (v1::SubtaskSnapshot& part : *manifest.mutable_subtasks()) {
    part.set_watermark_ms(kMaxWatermarkMs);
  }
  const auto assignment = AssignRestore(manifest, Plan(1, 2)).value();
  for (const auto& [key, restore] : assignment.subtasks) {
    EXPECT_FALSE(restore.has_watermark_ms()) << key.first;
  }
}

TEST(Restore, AForkTakesOverNoWriter) {
  v1::RestoreOptions options;
  options.set_fork(true);
  const auto assignment = AssignRestore(Manifest(1, 2, 5), Plan(1, 2), options).value();
  EXPECT_EQ(assignment.subtasks.at({"window-vertex", 1}).sinks_size(), 0);
  EXPECT_EQ(assignment.subtasks.at({"window-vertex", 1}).operators_size(), 1);
}

// Some may then begin with it while the others go on.
TEST(Restore, PlacesAreKeptWhereEverySubtaskGetsWhatItHad) {
  EXPECT_TRUE(AssignRestore(Manifest(1, 2, 5), Plan(1, 2)).value().keeps_places);
  EXPECT_FALSE(AssignRestore(Manifest(1, 2, 5), Plan(1, 3)).value().keeps_places);
  EXPECT_FALSE(AssignRestore(Manifest(1, 3, 5), Plan(1, 2)).value().keeps_places);
  // These splits had been dealt out in another order.
  EXPECT_FALSE(AssignRestore(Manifest(2, 2, 5), Plan(2, 2)).value().keeps_places);
  v1::CheckpointManifest manifest = Manifest(1, 2, 2);
  std::swap(*manifest.mutable_subtasks(1)->mutable_sinks(0),
            *manifest.mutable_subtasks(2)->mutable_sinks(0));
  EXPECT_FALSE(AssignRestore(manifest, Plan(1, 2)).value().keeps_places);
}

// ---- What no longer fits ----

class MisfitTest : public testing::Test {
 protected:
  // The refusal, which must be the user's to mend.
  std::string Refusal() {
    const auto assignment = AssignRestore(manifest_, plan_);
    if (assignment) return "none";
    EXPECT_EQ(assignment.error().domain, ErrorDomain::kUser);
    EXPECT_THAT(assignment.error().message, HasSubstr("the state of job 0123"));
    return assignment.error().message;
  }
  v1::PlanNode* node(int vertex, int index) {
    return plan_.mutable_vertices(vertex)->mutable_nodes(index);
  }
  v1::WindowAggregate* window() {
    return node(1, 0)->mutable_window_aggregate()->mutable_aggregate();
  }

  v1::CheckpointManifest manifest_ = Manifest(2, 2, 2);
  v1::PhysicalPlan plan_ = Plan(2, 2);
};

TEST_F(MisfitTest, TheSamePlanFits) { EXPECT_EQ(Refusal(), "none"); }

TEST_F(MisfitTest, AnotherNumberOfKeyGroups) {
  plan_.set_max_parallelism(64);
  EXPECT_THAT(Refusal(), HasSubstr("max-parallelism): 128 -> 64"));
}

TEST_F(MisfitTest, AnotherKey) {
  window()->add_keys("host");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'w': key: [ip STRING] -> [ip STRING, host]"));
  window()->mutable_keys()->RemoveLast();
  node(1, 0)->mutable_input_schema()->mutable_fields(0)->mutable_type()->set_kind(
      v1::DataType::INT64);
  EXPECT_THAT(Refusal(), HasSubstr("operator 'w': key: [ip STRING] -> [ip INT64]"));
}

TEST_F(MisfitTest, AnotherWindow) {
  window()->mutable_window()->mutable_session()->set_gap_ms(60'000);
  EXPECT_THAT(Refusal(), HasSubstr("operator 'w': window: session, gap 300000 ms -> session, gap "
                                   "60000 ms"));
  window()->mutable_window()->mutable_tumbling()->set_size_ms(60'000);
  EXPECT_THAT(Refusal(), HasSubstr("-> tumbling, size 60000 ms, offset 0 ms"));
}

TEST_F(MisfitTest, OtherAggregates) {
  v1::AggregateCall* sum = window()->add_aggregates();
  sum->set_function(v1::AggregateCall::SUM);
  sum->set_input_column("bytes");
  sum->mutable_output_type()->set_kind(v1::DataType::INT64);
  EXPECT_THAT(Refusal(), HasSubstr("operator 'w': aggregates: [COUNT_STAR() INT64] -> "
                                   "[COUNT_STAR() INT64, SUM(bytes) INT64]"));
}

TEST_F(MisfitTest, WhatTheStateDoesNotDependOnMayChange) {
  window()->set_window_end_column("ended");
  window()->mutable_aggregates(0)->set_output_column("count");
  window()->set_late_to_side_output(true);
  node(0, 0)->mutable_table_source_scan()->mutable_on_error()->set_action(v1::OnError::SKIP);
  // With a pre-aggregation the same windows are filled in another way.
  const v1::WindowAggregate aggregate = *window();
  *node(1, 0)->mutable_global_window_aggregate()->mutable_aggregate() = aggregate;
  EXPECT_EQ(Refusal(), "none");
}

TEST_F(MisfitTest, AnOperatorThatIsGone) {
  plan_.mutable_vertices(1)->mutable_nodes()->RemoveLast();
  manifest_.mutable_subtasks(3)->mutable_sinks(0)->mutable_unconfirmed(0)->set_rows(12);
  EXPECT_THAT(Refusal(), HasSubstr("operator 'out': the job does not have it any more, and 12 rows "
                                   "that are not written yet would be lost"));
  EXPECT_THAT(Refusal(), HasSubstr("--allow-non-restored-state"));
  v1::RestoreOptions options;
  options.set_allow_non_restored_state(true);
  EXPECT_TRUE(AssignRestore(manifest_, plan_, options));
  window()->add_keys("host");  // that is another matter
  EXPECT_FALSE(AssignRestore(manifest_, plan_, options));
  EXPECT_THAT(Refusal(), HasSubstr("or start the job without this state"));
  window()->mutable_keys()->RemoveLast();
  for (v1::SubtaskSnapshot& part : *manifest_.mutable_subtasks()) part.clear_sinks();
  EXPECT_EQ(Refusal(), "none");  // it held nothing
}

TEST_F(MisfitTest, AnOperatorThatWasRenamed) {
  node(1, 0)->set_id("w2");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'w': the job does not have it any more; 'w2' is new: "
                                   "state belongs to a name, and is lost with it"));
}

TEST_F(MisfitTest, AnOperatorThatBecameAnother) {
  *node(1, 0)->mutable_calc() = {};
  node(1, 0)->set_name("Calc(w)");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'w': WindowAggregate(w) -> Calc(w)"));
}

TEST_F(MisfitTest, ASourceOfAnotherConnectorOrWithoutATopic) {
  auto* connector = node(0, 0)->mutable_table_source_scan()->mutable_connector();
  (*connector->mutable_options())["topic"] = "t0;t2";
  EXPECT_THAT(Refusal(), HasSubstr("operator 'events': topic: 't1' -> [t0, t2]"));
  (*connector->mutable_options())["topic"] = "t2;t1;t0";
  EXPECT_EQ(Refusal(), "none");
  connector->set_name("datagen");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'events': connector: kafka -> datagen"));
}

TEST_F(MisfitTest, RowsThatAreStillToBeWrittenTieASinkToItsColumns) {
  node(1, 1)->mutable_input_schema()->mutable_fields(0)->set_name("address");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'out': columns: [ip STRING] -> [address STRING]"));
  for (v1::SubtaskSnapshot& part : *manifest_.mutable_subtasks()) {
    for (v1::SinkSnapshot& sink : *part.mutable_sinks()) sink.clear_unconfirmed();
  }
  EXPECT_EQ(Refusal(), "none");
  node(1, 1)->mutable_sink()->mutable_connector()->set_name("kafka");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'out': connector: postgres -> kafka"));
}

TEST_F(MisfitTest, EverythingIsSaidAtOnce) {
  window()->add_keys("host");
  window()->mutable_window()->mutable_session()->set_gap_ms(1);
  plan_.set_max_parallelism(64);
  const std::string refusal = Refusal();
  for (const char* part : {"max-parallelism", "key:", "window:"}) {
    EXPECT_THAT(refusal, HasSubstr(part));
  }
  EXPECT_THAT(refusal, Not(HasSubstr("aggregates")));
}

// ---- Manifests that contradict themselves ----

class ContradictionTest : public testing::Test {
 protected:
  std::string Refusal() {
    const auto assignment = AssignRestore(manifest_, Plan(2, 2));
    if (assignment) return "none";
    EXPECT_EQ(assignment.error().domain, ErrorDomain::kInternal);
    return assignment.error().message;
  }
  v1::CheckpointManifest manifest_ = Manifest(2, 2, 2);
};

TEST_F(ContradictionTest, ASubtaskIsMissing) {
  manifest_.mutable_subtasks()->RemoveLast();
  EXPECT_THAT(Refusal(), HasSubstr("lacks subtask 1 of 'w -> out'"));
}

TEST_F(ContradictionTest, ASubtaskIsThereTwiceOrUnknown) {
  *manifest_.add_subtasks() = manifest_.subtasks(0);
  EXPECT_THAT(Refusal(), HasSubstr("subtask 0 of vertex source-vertex twice"));
  manifest_.mutable_subtasks(4)->set_subtask(2);
  EXPECT_THAT(Refusal(), HasSubstr("subtasks that its plan does not have"));
}

TEST_F(ContradictionTest, AKeyGroupHasNoOwnerOrTwo) {
  auto* state = manifest_.mutable_subtasks(3)->mutable_operators(0)->mutable_keyed_state();
  state->set_first_key_group(65);
  EXPECT_THAT(Refusal(), HasSubstr("0 subtasks of operator 'w' own key group 64"));
  state->set_first_key_group(63);
  EXPECT_THAT(Refusal(), HasSubstr("2 subtasks of operator 'w' own key group 63"));
}

TEST_F(ContradictionTest, ASplitOrAWriterIsThereTwice) {
  manifest_.mutable_subtasks(1)->mutable_splits(0)->set_split_id("s0");
  EXPECT_THAT(Refusal(), HasSubstr("source 'events' has split 's0' twice"));
  manifest_ = Manifest(2, 2, 2);
  manifest_.mutable_subtasks(3)->mutable_sinks(0)->set_writer(0);
  EXPECT_THAT(Refusal(), HasSubstr("writer 0 of sink 'out' belongs to two subtasks"));
}

TEST_F(ContradictionTest, StateOfAnOperatorThatItsPlanDoesNotHave) {
  manifest_.mutable_subtasks(3)->mutable_operators(0)->set_operator_id("x");
  EXPECT_THAT(Refusal(), HasSubstr("operator 'x'"));
}

}  // namespace
}  // namespace watershed
