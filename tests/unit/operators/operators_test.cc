// Calc, the registry, the schemas of aggregates, and what a restore refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/operators/aggregate_schema.h"
#include "runtime/operators/calc.h"
#include "runtime/operators/registry.h"
#include "runtime/types/schema_proto.h"
#include "tests/support/rows.h"
#include "tests/unit/operators/window_cases.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Function = v1::AggregateCall;

SchemaPtr HostAndTime() {
  return std::make_shared<const Schema>(
      std::vector<Field>{{"host", {TypeKind::kString}}, {"t", {TypeKind::kTimestampMs}, true}}, 1);
}

v1::PlanNode NodeOf(const Schema& input, const Schema& output) {
  v1::PlanNode node;
  node.set_id("by_ip");
  node.set_name("Node(…)");
  SchemaToProto(input, node.mutable_input_schema());
  SchemaToProto(output, node.mutable_output_schema());
  return node;
}

TEST(Calc, ProjectsInEveryVariant) {
  OperatorCase tested;
  tested.chain = {[] { return MakeCalc({1, 2}, *EventSchema(), HostAndTime()); }};
  tested.items = {
      MakeBatch(EventSchema(),
                {{std::string("a"), std::string("h"), int64_t{1}, int64_t{1}, nullptr, nullptr},
                 {nullptr, nullptr, int64_t{2}, nullptr, nullptr, 2.0}})};
  EXPECT_THAT(RunAllVariants(tested).rows, ElementsAre("NULL|2", "h|1"));
}

class KeepOutput final : public Output {
 public:
  Status Emit(RecordBatch batch) override {
    batches.push_back(std::move(batch));
    return Ok();
  }
  Status EmitSide(std::string_view, RecordBatch) override { return Ok(); }
  bool has_side(std::string_view) const override { return false; }
  bool full() const override { return false; }
  std::vector<RecordBatch> batches;
};

TEST(Calc, CopiesNothing) {
  auto calc = MakeCalc({1, 2}, *EventSchema(), HostAndTime());
  ASSERT_TRUE(calc);
  const RecordBatch batch = MakeBatch(
      EventSchema(), {{nullptr, std::string("h"), int64_t{1}, nullptr, nullptr, nullptr}});
  KeepOutput output;
  ASSERT_TRUE((*calc)->Process(0, batch, output));
  EXPECT_EQ(output.batches.at(0).column_ptr(0), batch.column_ptr(1));
  EXPECT_EQ(output.batches.at(0).column_ptr(1), batch.column_ptr(2));
}

TEST(Calc, RefusesColumnsThatDoNotFit) {
  EXPECT_FALSE(MakeCalc({1}, *EventSchema(), HostAndTime()));
  EXPECT_FALSE(MakeCalc({1, 6}, *EventSchema(), HostAndTime()));
  EXPECT_FALSE(MakeCalc({2, 1}, *EventSchema(), HostAndTime()));
}

TEST(Registry, MakesEveryOperatorOfThePlan) {
  v1::WindowAggregate aggregate = TumbleBy({"ip"}, 10);
  AddEveryCall(aggregate);
  const Schema partials = PartialAggregateSchema(aggregate, *EventSchema()).value();
  const Schema output = *OutputSchemaOf(aggregate);

  v1::PlanNode local = NodeOf(*EventSchema(), partials);
  *local.mutable_local_window_aggregate()->mutable_aggregate() = aggregate;
  v1::PlanNode global = NodeOf(partials, output);
  *global.mutable_global_window_aggregate()->mutable_aggregate() = aggregate;
  v1::PlanNode single = NodeOf(*EventSchema(), output);
  *single.mutable_window_aggregate()->mutable_aggregate() = aggregate;
  v1::PlanNode calc = NodeOf(*EventSchema(), *HostAndTime());
  calc.mutable_calc()->add_columns(1);
  calc.mutable_calc()->add_columns(2);
  for (const v1::PlanNode& node : {local, global, single, calc}) {
    const auto made = MakeOperator(node);
    EXPECT_TRUE(made) << made.error().message;
  }
}

TEST(Registry, NamesWhatItCannotMake) {
  v1::PlanNode sink = NodeOf(*EventSchema(), *EventSchema());
  sink.mutable_sink();
  auto made = MakeOperator(sink);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("operator 'by_ip'"));

  v1::WindowAggregate aggregate = SessionBy({"nobody"}, 10);
  v1::PlanNode node = NodeOf(*EventSchema(), *EventSchema());
  *node.mutable_window_aggregate()->mutable_aggregate() = aggregate;
  made = MakeOperator(node);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("'nobody'"));
}

TEST(AggregateSchema, KeepsTypesAndRefusesThoseAFunctionDoesNotTake) {
  const auto type = [](int function, TypeKind kind) {
    return AggregateOutputType(function, DataType{kind});
  };
  EXPECT_EQ(AggregateOutputType(Function::COUNT_STAR, std::nullopt)->kind, TypeKind::kInt64);
  EXPECT_EQ(type(Function::COUNT, TypeKind::kString)->kind, TypeKind::kInt64);
  EXPECT_EQ(type(Function::SUM, TypeKind::kInt32)->kind, TypeKind::kInt32);
  EXPECT_EQ(type(Function::AVG, TypeKind::kInt64)->kind, TypeKind::kInt64);
  EXPECT_EQ(type(Function::AVG, TypeKind::kDouble)->kind, TypeKind::kDouble);
  EXPECT_EQ(type(Function::MIN, TypeKind::kTimestampMs)->kind, TypeKind::kTimestampMs);
  EXPECT_EQ(type(Function::SUM, TypeKind::kTimestampMs).error().domain, ErrorDomain::kUser);
  EXPECT_EQ(type(Function::MAX, TypeKind::kString).error().domain, ErrorDomain::kUser);
  EXPECT_FALSE(AggregateOutputType(Function::SUM, std::nullopt));
}

TEST(AggregateSchema, PartialsHoldKeysWindowRowsAndAccumulators) {
  v1::WindowAggregate aggregate = TumbleBy({"host", "ip"}, 10);
  AddCall(aggregate, Function::COUNT_STAR);
  AddCall(aggregate, Function::SUM, "i");
  AddCall(aggregate, Function::AVG, "d");
  AddCall(aggregate, Function::MAX, "t");
  const Schema partials = PartialAggregateSchema(aggregate, *EventSchema()).value();
  std::vector<std::string> names;
  for (const Field& field : partials.fields()) {
    names.push_back(fmt::format("{} {}", field.name, NameOf(field.type)));
  }
  EXPECT_THAT(names, ElementsAre("host string", "ip string", "$window_end timestamp",
                                 "$rows bigint", "$agg1 bigint", "$agg2_sum double",
                                 "$agg2_count bigint", "$agg3 timestamp"));
}

// A snapshot of one window is not taken for another's.
TEST(Restore, RefusesAnotherWindow) {
  const auto make = [](int64_t gap_ms) {
    v1::WindowAggregate aggregate = SessionBy({"ip"}, gap_ms);
    AddCall(aggregate, Function::COUNT_STAR);
    return SingleCase(aggregate).chain.front()().value();
  };
  class Writer final : public SnapshotWriter {
   public:
    Status Put(std::string_view section, std::string_view bytes) override {
      sections[std::string(section)] = bytes;
      return Ok();
    }
    std::map<std::string, std::string> sections;
  };
  class Reader final : public SnapshotReader {
   public:
    explicit Reader(const Writer& writer) : writer_(writer) {}
    std::vector<std::string> Get(std::string_view section) const override {
      const auto at = writer_.sections.find(std::string(section));
      if (at == writer_.sections.end()) return {};
      return {at->second};
    }

   private:
    const Writer& writer_;
  };
  KeyedStateFactory factory({.backend = StateBackendKind::kHashMap});
  OperatorContext context;
  context.operator_id = "sessions";
  context.keyed_state = &factory;
  context.key_groups = {0, kDefaultMaxParallelism - 1};
  const auto before = make(10);
  ASSERT_TRUE(before->Open(context));
  Writer writer;
  ASSERT_TRUE(before->Snapshot(writer));
  const auto same = make(10);
  ASSERT_TRUE(same->Open(context));
  EXPECT_TRUE(same->Restore(Reader(writer)));
  const auto other = make(20);
  ASSERT_TRUE(other->Open(context));
  const Status refused = other->Restore(Reader(writer));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("gap=10 ms"));
  EXPECT_THAT(refused.error().message, HasSubstr("gap=20 ms"));
}

TEST(EventTime, ANullOneIsAnErrorThatNamesTheColumn) {
  const auto schema =
      std::make_shared<const Schema>(std::vector<Field>{{"ip", {TypeKind::kString}},
                                                        {"host", {TypeKind::kString}},
                                                        {"t", {TypeKind::kTimestampMs}}},
                                     2);
  v1::WindowAggregate aggregate = TumbleBy({"ip"}, 10);
  AddCall(aggregate, Function::COUNT_STAR);
  KeyedStateFactory factory({.backend = StateBackendKind::kHashMap});
  OperatorContext context;
  context.operator_id = "by_ip";
  context.keyed_state = &factory;
  context.key_groups = {0, kDefaultMaxParallelism - 1};
  for (const auto& make : {SingleCase(aggregate).chain[0], LocalGlobalCase(aggregate).chain[0]}) {
    const auto op = make().value();
    ASSERT_TRUE(op->Open(context));
    KeepOutput output;
    const Status refused = op->Process(0, MakeBatch(schema, {{nullptr, nullptr, nullptr}}), output);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("event time 't' is NULL"));
  }
}

}  // namespace
}  // namespace watershed::test
