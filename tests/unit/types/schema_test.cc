#include "runtime/types/schema.h"

#include <gtest/gtest.h>

#include <functional>

#include "runtime/types/clock.h"
#include "runtime/types/key_group.h"
#include "runtime/types/schema_proto.h"
#include "watershed/v1/types.pb.h"

namespace watershed {
namespace {

TEST(DataTypeTest, NamesGoBothWays) {
  for (const TypeKind kind :
       {TypeKind::kBool, TypeKind::kInt32, TypeKind::kInt64, TypeKind::kDouble,
        TypeKind::kTimestampMs, TypeKind::kString, TypeKind::kBytes}) {
    EXPECT_EQ(DataTypeFromName(NameOf({kind})), DataType{kind});
  }
  EXPECT_EQ(DataTypeFromName("VARCHAR"), DataType{TypeKind::kString});
  EXPECT_EQ(DataTypeFromName("long"), DataType{TypeKind::kInt64});
  EXPECT_EQ(DataTypeFromName("decimal"), std::nullopt);
}

TEST(SchemaProtoTest, RoundTrip) {
  const Schema schema({{"host", {TypeKind::kString}, true}, {"t", {TypeKind::kTimestampMs}}}, 1);
  v1::Schema proto;
  SchemaToProto(schema, &proto);
  const auto back = SchemaFromProto(proto);
  ASSERT_TRUE(back);
  EXPECT_EQ(**back, schema);
  EXPECT_EQ((*back)->IndexOf("t"), 1);
  EXPECT_EQ((*back)->IndexOf("u"), std::nullopt);
}

TEST(SchemaProtoTest, RefusesWhatCannotBe) {
  const auto message = [](std::function<void(v1::Schema&)> change) {
    v1::Schema proto;
    SchemaToProto(Schema({{"a", {TypeKind::kString}}, {"t", {TypeKind::kTimestampMs}}}, 1), &proto);
    change(proto);
    const auto result = SchemaFromProto(proto);
    return result ? std::string() : result.error().message;
  };
  EXPECT_EQ(message([](v1::Schema&) {}), "");
  EXPECT_NE(message([](v1::Schema& s) { s.mutable_fields(0)->set_name("t"); }), "");
  EXPECT_NE(message([](v1::Schema& s) { s.set_event_time_index(0); }), "");
  EXPECT_NE(message([](v1::Schema& s) { s.set_event_time_index(-1); }), "");
  EXPECT_NE(message([](v1::Schema& s) { s.set_event_time_index(2); }), "");
  EXPECT_EQ(message([](v1::Schema& s) { s.mutable_fields(0)->clear_type(); }),
            "field 'a': data type 0 is not known to this version");
}

TEST(KeyGroupTest, RangesOfSubtasksCoverAllGroupsOnce) {
  for (const int max : {1, 2, 7, 128, 1000}) {
    for (int parallelism = 1; parallelism <= std::min(max, 130); ++parallelism) {
      int next = 0;
      for (int subtask = 0; subtask < parallelism; ++subtask) {
        const KeyGroupRange range = RangeOfSubtask({subtask}, max, parallelism);
        ASSERT_EQ(range.first, next);
        next = range.last + 1;
        for (int group = range.first; group <= range.last; ++group) {
          ASSERT_EQ(SubtaskOfKeyGroup({group}, max, parallelism).value, subtask);
        }
      }
      ASSERT_EQ(next, max);
    }
  }
}

TEST(ClockTest, SystemClockIsWallAndSteady) {
  EXPECT_GT(SystemClock().NowMs(), 1'700'000'000'000);
  const auto before = SystemClock().Steady();
  EXPECT_GE(SystemClock().Steady(), before);
}

}  // namespace
}  // namespace watershed
