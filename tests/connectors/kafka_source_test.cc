// The Kafka source and its enumerator against a real broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/connectors/kafka_source_fixture.h"
#include "tests/connectors/kafka_writer.h"
#include "tests/support/assert_ok.h"

namespace watershed::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(KafkaSourceTest, ReadsEveryRecordOnceAndInOrder) {
  const std::string topic = NewTopic(4);
  KafkaWriter writer(brokers, topic);
  for (int partition = 0; partition < 4; ++partition) writer.WriteNumbered(partition, "v", 5000);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_EQ(reader.records.size(), 20'000u);
  std::map<std::string, int64_t> next;
  for (const ReadRecord& record : reader.records) {
    int64_t& expected = next[record.split];
    ASSERT_EQ(record.offset, expected) << record.split;
    ASSERT_EQ(*record.value, "v" + std::to_string(expected));
    ++expected;
  }
  EXPECT_EQ(next.size(), 4u);
  for (const SplitPosition& position : reader.source().Positions()) {
    EXPECT_EQ(position.next_position, 5000) << position.split_id;
  }
}

TEST_F(KafkaSourceTest, APollIsFilledByThePartitionsThatHaveRecords) {
  const std::string topic = NewTopic(8);
  KafkaWriter(brokers, topic).WriteNumbered(3, "v", 5000);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  ASSERT_OK(reader.Open());
  size_t largest_poll = 0, before = 0;
  ASSERT_OK(reader.PollUntil([&] {
    largest_poll = std::max(largest_poll, reader.records.size() - before);
    before = reader.records.size();
    return reader.finished;
  }));
  EXPECT_EQ(reader.records.size(), 5000u);
  EXPECT_EQ(largest_poll, 1000u);
}

TEST_F(KafkaSourceTest, ATopicDeletedWhileReadingIsNamed) {
  const std::string topic = NewTopic(1);
  KafkaWriter(brokers, topic).WriteNumbered(0, "a", 3);
  KafkaReader reader(ReadAllOptions(brokers, topic,
                                    {{"scan.bounded.mode", "unbounded"},
                                     {"properties.topic.metadata.refresh.interval.ms", "500"},
                                     {"properties.topic.metadata.propagation.max.ms", "1000"}}));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.records.size() == 3; }));
  DeleteTopic(brokers, topic);
  const Status status = reader.PollUntil([] { return false; });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(topic + " [0]"), HasSubstr("was deleted")));
  // librdkafka 2.0 often never ends after this; the task must.
  reader.source().Close();
}

TEST_F(KafkaSourceTest, KeysTimesTombstonesAndEmptyValues) {
  const std::string topic = NewTopic(1);
  KafkaWriter(brokers, topic)
      .Write({{.value = "a", .key = "k", .timestamp_ms = 1'700'000'000'123},
              {.value = std::nullopt, .key = "gone"},
              {.value = ""}});
  KafkaReader reader(ReadAllOptions(brokers, topic));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  ASSERT_EQ(reader.records.size(), 3u);
  EXPECT_EQ(reader.records[0].key, "k");
  EXPECT_EQ(reader.records[0].timestamp_ms, 1'700'000'000'123);
  EXPECT_FALSE(reader.records[1].value.has_value());
  EXPECT_EQ(reader.records[1].key, "gone");
  EXPECT_EQ(reader.records[2].value, "");
}

TEST_F(KafkaSourceTest, AMessageOfTenMegabytes) {
  const std::string topic = NewTopic(1);
  const std::string large(10 << 20, 'x');
  KafkaWriter(brokers, topic).Write({{.value = "before"}, {.value = large}, {.value = "after"}});
  EXPECT_TRUE(ReadAll(topic) == (std::vector<std::string>{"before", large, "after"}));
}

TEST_F(KafkaSourceTest, SeveralTopics) {
  const std::string first = NewTopic(1), second = NewTopic(2);
  KafkaWriter(brokers, first).WriteNumbered(0, "a", 2);
  KafkaWriter(brokers, second).WriteNumbered(1, "b", 1);
  const auto values = ReadAll(first + ";" + second);
  EXPECT_EQ(std::multiset<std::string>(values.begin(), values.end()),
            (std::multiset<std::string>{"a0", "a1", "b0"}));
}

TEST_F(KafkaSourceTest, LatestOffsetSkipsWhatWasThere) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "old", 3);
  KafkaReader reader(
      ReadAllOptions(brokers, topic,
                     {{"scan.startup.mode", "latest-offset"}, {"scan.bounded.mode", "unbounded"}}));
  ASSERT_OK(reader.Open());
  writer.WriteNumbered(0, "new", 2);
  ASSERT_OK(reader.PollUntil([&] { return reader.records.size() >= 2; }));
  EXPECT_THAT(reader.values(), ElementsAre("new0", "new1"));
  EXPECT_FALSE(reader.finished);
}

TEST_F(KafkaSourceTest, SpecificOffsetsAndTheirBounds) {
  const std::string topic = NewTopic(2);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 4);
  writer.WriteNumbered(1, "b", 2);
  const auto options = [&](const char* offsets) {
    return ReadAllOptions(
        brokers, topic,
        {{"scan.startup.mode", "specific-offsets"}, {"scan.startup.specific-offsets", offsets}});
  };
  KafkaReader reader(options("partition:0,offset:3"));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  const auto values = reader.values();
  EXPECT_EQ(std::multiset<std::string>(values.begin(), values.end()),
            (std::multiset<std::string>{"a3", "b0", "b1"}));
  EXPECT_THAT(DiscoverError(options("partition:0,offset:5")).message, HasSubstr("0 to 4"));
  EXPECT_THAT(DiscoverError(options("partition:2,offset:0")).message, HasSubstr("partition 2"));
}

TEST_F(KafkaSourceTest, GroupOffsetsAreThoseOfTheLastCheckpointAndFallBackAsToldTo) {
  const std::string topic = NewTopic(2);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 4);
  writer.WriteNumbered(1, "b", 3);
  const OptionMap options = ReadAllOptions(
      brokers, topic,
      {{"scan.startup.mode", "group-offsets"}, {"properties.group.id", UniqueName("group")}});
  OptionMap or_fail = options;
  or_fail["scan.startup.group-offsets-fallback"] = "fail";
  EXPECT_THAT(DiscoverError(or_fail).message, HasSubstr("has committed no offset"));
  OptionMap or_latest = options;
  or_latest["scan.startup.group-offsets-fallback"] = "latest-offset";
  EXPECT_EQ(KafkaReader(or_latest).Discover()->at(1).start_position, 3);

  KafkaReader reader(options);
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_EQ(reader.records.size(), 7u);
  EXPECT_EQ(reader.CommittedOffsets(), (std::map<std::string, double>{{"0", -1}, {"1", -1}}));
  const std::vector<SplitPosition> checkpoint = {{topic + "-0", 2}};
  reader.source().OnCheckpointComplete(checkpoint);
  // The commit is asynchronous.
  ASSERT_OK(
      reader.PollUntil([&] { return KafkaReader(options).Discover()->at(0).start_position == 2; }));
  EXPECT_EQ(KafkaReader(options).Discover()->at(1).start_position, 0);
  ASSERT_OK(reader.PollUntil([&] { return reader.CommittedOffsets()["0"] == 2; }));
  EXPECT_EQ(reader.CommittedOffsets()["1"], -1);
}

TEST_F(KafkaSourceTest, WithoutAGroupNoOffsetIsSaidToBeCommitted) {
  KafkaReader reader(ReadAllOptions(brokers, NewTopic(1)));
  ASSERT_OK(reader.Open());
  EXPECT_TRUE(reader.CommittedOffsets().empty());
}

TEST_F(KafkaSourceTest, APausedSplitHandsOutNothingAndLosesNothing) {
  const std::string topic = NewTopic(2);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 3000);
  writer.WriteNumbered(1, "b", 3000);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return !reader.records.empty(); }));
  ASSERT_OK(reader.source().Pause(0));
  const auto of_first = [&] { return reader.source().Positions()[0].next_position; };
  const int64_t paused_at = of_first();
  ASSERT_OK(reader.PollUntil([&] { return reader.source().Positions()[1].next_position == 3000; }));
  EXPECT_EQ(of_first(), paused_at);
  ASSERT_OK(reader.source().Resume(0));
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_EQ(reader.records.size(), 6000u);
}

TEST_F(KafkaSourceTest, CaughtUpIsToldWhileItHoldsAndTakenBack) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 2);
  KafkaReader reader(ReadAllOptions(brokers, topic, {{"scan.bounded.mode", "unbounded"}}));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.progress[0].caught_up; }));
  EXPECT_EQ(reader.progress[0].lag, 0);
  EXPECT_EQ(reader.records.size(), 2u);
  writer.WriteNumbered(0, "b", 1);
  ASSERT_OK(reader.PollUntil([&] { return !reader.progress[0].caught_up; }));
  ASSERT_OK(reader.PollUntil([&] { return reader.progress[0].caught_up; }));
  EXPECT_EQ(reader.records.size(), 3u);
}

// While a task is busy elsewhere, a record and the new end behind it both come in.
TEST_F(KafkaSourceTest, CaughtUpIsTakenBackByARecordThatComesTogetherWithTheEnd) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 2);
  const OptionMap options = ReadAllOptions(brokers, topic, {{"scan.bounded.mode", "unbounded"}});
  KafkaReader reader(options);
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.progress[0].caught_up; }));
  writer.WriteNumbered(0, "b", 1);
  // Time for that, measured by another reader, which needs several round trips more.
  KafkaReader other(options);
  ASSERT_OK(other.Open());
  ASSERT_OK(other.PollUntil([&] { return other.records.size() == 3; }));
  ASSERT_OK(other.PollUntil([&] { return other.progress[0].caught_up; }));
  ASSERT_OK(reader.PollUntil([&] { return !reader.progress[0].caught_up; }));
  ASSERT_OK(reader.PollUntil([&] { return reader.progress[0].caught_up; }));
  EXPECT_EQ(reader.records.size(), 3u);
}

// The broker reported the end once; only a fresh question can tell that it has moved since.
TEST_F(KafkaSourceTest, AnEndThatHasMovedIsNotCaughtUp) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 2);
  KafkaReader reader(ReadAllOptions(brokers, topic, {{"scan.bounded.mode", "unbounded"}}));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.progress[0].caught_up; }));
  ASSERT_OK(reader.source().Pause(0));
  writer.WriteNumbered(0, "b", 1);
  ASSERT_OK(reader.PollUntil([&] { return !reader.progress[0].caught_up; }));
  EXPECT_EQ(reader.records.size(), 2u);
}

TEST_F(KafkaSourceTest, LagIsWhatThePausedSplitHasNotRead) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 500);
  KafkaReader reader(ReadAllOptions(brokers, topic, {{"scan.bounded.mode", "unbounded"}}));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.records.size() == 500; }));
  ASSERT_OK(reader.source().Pause(0));
  writer.WriteNumbered(0, "b", 70);
  ASSERT_OK(reader.PollUntil([&] { return reader.progress[0].lag == 70; }));
}

TEST_F(KafkaSourceTest, SplitsMayBeAddedLater) {
  const std::string topic = NewTopic(2);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 10);
  writer.WriteNumbered(1, "b", 10);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  const auto splits = reader.Discover();
  ASSERT_TRUE(splits);
  ASSERT_OK(reader.Open(*splits));
  ASSERT_OK(reader.PollUntilFinished());
  // The same two again, from the middle: indexes go on counting.
  KafkaReader half(ReadAllOptions(brokers, topic));
  ASSERT_OK(half.Open({splits->at(0)}));
  ASSERT_OK(half.PollUntilFinished());
  EXPECT_EQ(half.records.size(), 10u);
  SourceSplit second = splits->at(1);
  second.start_position = 4;
  ASSERT_OK(half.source().AddSplits({&second, 1}));
  PolledRecords polled;
  size_t added = 0;
  for (int i = 0; i < 600 && !polled.finished; ++i) {
    ASSERT_OK(half.source().Poll(polled, 100, std::chrono::milliseconds(100)));
    for (const RawRecord& record : polled.raw) EXPECT_EQ(record.split_index, 1);
    added += polled.raw.size();
  }
  EXPECT_TRUE(polled.finished);
  EXPECT_EQ(added, 6u);
}

TEST_F(KafkaSourceTest, AnExpiredOffsetFailsByNameInsteadOfJumping) {
  const std::string topic = NewTopic(1);
  KafkaWriter writer(brokers, topic);
  writer.WriteNumbered(0, "a", 10);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  const auto splits = reader.Discover();
  ASSERT_TRUE(splits);
  DeleteRecordsBefore(brokers, topic, 0, 6);
  ASSERT_OK(reader.Open(*splits));
  const Status status = reader.PollUntilFinished();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("offset 0 of topic '" + topic + "' partition 0"));
  EXPECT_THAT(reader.values(), IsEmpty());
  EXPECT_THAT(
      DiscoverError(ReadAllOptions(brokers, topic,
                                   {{"scan.startup.mode", "specific-offsets"},
                                    {"scan.startup.specific-offsets", "partition:0,offset:5"}}))
          .message,
      HasSubstr("retention has removed it"));
  EXPECT_EQ(ReadAll(topic).size(), 4u);
}

TEST_F(KafkaSourceTest, AMissingTopicIsAUserErrorThatNamesWhatComesNear) {
  const std::string topic = NewTopic(1);
  const Error error = DiscoverError(ReadAllOptions(brokers, topic + "x"));
  EXPECT_EQ(error.domain, ErrorDomain::kUser);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("'" + topic + "x' does not exist"));
  EXPECT_THAT(error.message, HasSubstr("'" + topic + "'"));
}

TEST_F(KafkaSourceTest, BrokersThatCannotBeReachedMayComeBack) {
  const Error refused = DiscoverError(ReadAllOptions("127.0.0.1:1", "t"));
  EXPECT_TRUE(refused.retryable);
  EXPECT_THAT(refused.message, HasSubstr("Connection refused"));
  EXPECT_THAT(refused.message, HasSubstr("127.0.0.1:1"));
  const Error unknown = DiscoverError(ReadAllOptions("no-such-host.invalid:9092", "t"));
  EXPECT_TRUE(unknown.retryable);
  EXPECT_THAT(unknown.message, HasSubstr("does not resolve"));
}

OptionMap Sasl(const std::string& password) {
  return {{"properties.security.protocol", "SASL_PLAINTEXT"},
          {"properties.sasl.mechanism", "PLAIN"},
          {"properties.sasl.username", RunningPeers().kafka_sasl_user},
          {"properties.sasl.password", password}};
}

TEST_F(KafkaSourceTest, SaslPlain) {
  const std::string topic = NewTopic(1);
  KafkaWriter(brokers, topic).WriteNumbered(0, "a", 1);
  KafkaReader reader(ReadAllOptions(RunningPeers().kafka_sasl_url, topic,
                                    Sasl(RunningPeers().kafka_sasl_password)));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_THAT(reader.values(), ElementsAre("a0"));
}

TEST_F(KafkaSourceTest, AWrongPasswordIsFinal) {
  const OptionMap options =
      ReadAllOptions(RunningPeers().kafka_sasl_url, "t", Sasl("not-the-password"));
  const Error error = DiscoverError(options);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("properties.sasl.password"));
  EXPECT_THAT(error.message, testing::Not(HasSubstr("not-the-password")));
  // A running reader whose password was changed fails too.
  KafkaReader reader(options);
  ASSERT_OK(reader.Open({{.id = "t-0", .topic = "t", .partition = 0}}));
  const Status status = reader.PollUntil([] { return false; });
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("properties.sasl.password"));
}

TEST_F(KafkaSourceTest, AWrongProtocolSaysSo) {
  const Error tls =
      DiscoverError(ReadAllOptions(brokers, "t", {{"properties.security.protocol", "SSL"}}));
  EXPECT_THAT(tls.message, HasSubstr("properties.security.protocol"));
  const Error plain = DiscoverError(ReadAllOptions(RunningPeers().kafka_sasl_url, "t"));
  EXPECT_THAT(plain.message, HasSubstr("security.protocol"));
}

TEST_F(KafkaSourceTest, AnUnknownPropertyIsAUserErrorWithTheNearestName) {
  const Error error =
      DiscoverError(ReadAllOptions(brokers, "t", {{"properties.fetch.mim.bytes", "1"}}));
  EXPECT_EQ(error.domain, ErrorDomain::kUser);
  EXPECT_THAT(error.message, HasSubstr("did you mean 'properties.fetch.min.bytes'"));
}

}  // namespace
}  // namespace watershed::test
