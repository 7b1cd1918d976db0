// Where a bounded read of Kafka ends, against a real broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/connectors/kafka_source_fixture.h"
#include "tests/connectors/kafka_writer.h"
#include "tests/support/assert_ok.h"

namespace watershed::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class KafkaBoundedTest : public KafkaSourceTest {};

TEST_F(KafkaBoundedTest, AnEmptyTopicFinishesAtOnce) {
  EXPECT_THAT(ReadAll(NewTopic(3)), IsEmpty());
}

TEST_F(KafkaBoundedTest, TimestampsBoundBothEnds) {
  const std::string topic = NewTopic(1);
  std::vector<WrittenRecord> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back({.value = std::to_string(i), .timestamp_ms = 1'700'000'000'000 + i * 1000});
  }
  KafkaWriter(brokers, topic).Write(records);
  const OptionMap from3 = {{"scan.startup.mode", "timestamp"},
                           {"scan.startup.timestamp-millis", "1700000002500"}};
  EXPECT_THAT(ReadAll(topic, from3), ElementsAre("3", "4", "5", "6", "7", "8", "9"));
  OptionMap from3_to6 = from3;
  from3_to6["scan.bounded.mode"] = "timestamp";
  from3_to6["scan.bounded.timestamp-millis"] = "1700000006000";
  EXPECT_THAT(ReadAll(topic, from3_to6), ElementsAre("3", "4", "5"));
  EXPECT_THAT(ReadAll(topic, {{"scan.startup.mode", "timestamp"},
                              {"scan.startup.timestamp-millis", "1800000000000"}}),
              IsEmpty());
}

TEST_F(KafkaBoundedTest, ControlRecordsAtTheEndDoNotHoldUpTheEnd) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic, UniqueName("tx"));
  writer.Begin();
  writer.WriteNumbered(0, "committed", 2);
  writer.Commit();
  writer.Begin();
  writer.WriteNumbered(0, "aborted", 3);
  writer.Abort();
  KafkaReader reader(ReadAllOptions(brokers, topic));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_THAT(reader.values(), ElementsAre("committed0", "committed1"));
  EXPECT_EQ(reader.source().Positions()[0].next_position, 7);  // two markers
  EXPECT_THAT(ReadAll(topic, {{"properties.isolation.level", "read_uncommitted"}}),
              ElementsAre("committed0", "committed1", "aborted0", "aborted1", "aborted2"));
}

// Nothing is handed out at the last offset before the end, nor at any other.
TEST_F(KafkaBoundedTest, RecordsThatCompactionRemovedDoNotHoldUpTheEnd) {
  const std::string topic = UniqueName("compacted");
  CreateCompactedTopic(brokers, topic);
  KafkaWriter writer(brokers, topic);
  for (const char* value : {"first", "second"}) writer.Write({{.value = value, .key = "a"}});
  KafkaReader reader(ReadAllOptions(brokers, topic));
  const auto splits = reader.Discover();
  ASSERT_OK(splits);
  EXPECT_EQ(splits->at(0).end_position, 2);
  writer.Write({{.value = "third", .key = "a"}});
  writer.Write({{.value = "last", .key = "b"}});
  for (int reads = 0; ReadAll(topic).size() > 2; ++reads) ASSERT_LT(reads, 5000) << "not cleaned";
  ASSERT_OK(reader.Open(*splits));
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_THAT(reader.values(), IsEmpty());
  EXPECT_EQ(reader.source().Positions()[0].next_position, 2);
}

// An end that was fixed and that the partition does not reach any more, as after a topic was made
// anew between the start and now: waiting would be for ever.
TEST_F(KafkaBoundedTest, AnEndThatThePartitionHasLostFailsByName) {
  const std::string topic = NewTopic(1);
  KafkaWriter(brokers, topic).WriteNumbered(0, "a", 3);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  auto splits = reader.Discover();
  ASSERT_OK(splits);
  splits->at(0).end_position = 10;
  ASSERT_OK(reader.Open(*splits));
  const Status status = reader.PollUntilFinished();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("topic '" + topic + "' partition 0 ends at offset 3"),
                    HasSubstr("before offset 10")));
  EXPECT_EQ(reader.records.size(), 3u);
}

TEST_F(KafkaBoundedTest, AnOpenTransactionIsBeyondTheEnd) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic, UniqueName("tx"));
  writer.Begin();
  writer.WriteNumbered(0, "committed", 2);
  writer.Commit();
  writer.Begin();
  writer.WriteNumbered(0, "open", 2);
  EXPECT_THAT(ReadAll(topic), ElementsAre("committed0", "committed1"));
  writer.Commit();
  EXPECT_THAT(ReadAll(topic), ElementsAre("committed0", "committed1", "open0", "open1"));
}

TEST_F(KafkaBoundedTest, AnEndMayBeAnOffsetThatIsStillToCome) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 2);
  KafkaReader reader(ReadAllOptions(brokers, topic,
                                    {{"scan.bounded.mode", "specific-offsets"},
                                     {"scan.bounded.specific-offsets", "partition:0,offset:4"}}));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.records.size() == 2; }));
  EXPECT_FALSE(reader.finished);
  writer.WriteNumbered(0, "b", 3);
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_THAT(reader.values(), ElementsAre("a0", "a1", "b0", "b1"));
}

TEST_F(KafkaBoundedTest, TheEndIsFixedOnce) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "in", 3);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  const auto splits = reader.Discover();
  ASSERT_TRUE(splits);
  writer.WriteNumbered(0, "after", 3);
  ASSERT_OK(reader.Open(*splits));
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_THAT(reader.values(), ElementsAre("in0", "in1", "in2"));
}

// Between the last row and the end lies a marker, and behind the end there is more.
TEST_F(KafkaBoundedTest, RowsBeyondAnEndAmongControlRecordsAreNotRead) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic, UniqueName("tx"));
  writer.Begin();
  writer.WriteNumbered(0, "in", 2);
  writer.Commit();
  KafkaReader reader(ReadAllOptions(brokers, topic));
  const auto splits = reader.Discover();
  ASSERT_TRUE(splits);
  writer.Begin();
  writer.WriteNumbered(0, "after", 2);
  writer.Commit();
  ASSERT_OK(reader.Open(*splits));
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_THAT(reader.values(), ElementsAre("in0", "in1"));
  EXPECT_EQ(reader.source().Positions()[0].next_position, 3);
}

}  // namespace
}  // namespace watershed::test
