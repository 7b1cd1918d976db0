// The at-least-once Kafka sink against a real broker; what arrived is read by the source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/connectors/kafka_sink_fixture.h"
#include "tests/support/owned_peer.h"

namespace watershed::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Sink> MakeAtLeastOnceSink(const std::string& brokers, const std::string& topic,
                                          OptionMap more = {}) {
  more["delivery"] = "at-least-once";
  return MakeSink(brokers, topic, more);
}

TEST_F(KafkaSinkTest, ACommittedEpochHasArrivedWhole) {
  const std::string topic = NewTopic(3);
  const auto sink = MakeAtLeastOnceSink(brokers, topic);
  ASSERT_OK(sink->Open());
  std::multiset<std::string> expected;
  for (int epoch = 0; epoch < 5; ++epoch) {
    ASSERT_OK(sink->Write(NumberedRows(epoch * 20'000, 20'000)));
    EXPECT_GT(sink->buffered_bytes(), 0);
    ASSERT_OK(CommitEpoch(*sink, epoch));
    EXPECT_EQ(sink->buffered_bytes(), 0);
    for (int i = 0; i < 20'000; ++i) expected.insert("row " + std::to_string(epoch * 20'000 + i));
    if (epoch == 0) {
      const auto rows = ReadTopic(brokers, topic);
      EXPECT_EQ(std::multiset<std::string>(rows.begin(), rows.end()), expected);
    }
  }
  const auto rows = ReadTopic(brokers, topic);
  EXPECT_TRUE((std::multiset<std::string>(rows.begin(), rows.end()) == expected));
}

TEST_F(KafkaSinkTest, RowsWrittenDuringACommitBelongToTheNextEpoch) {
  const std::string topic = NewTopic(1);
  const auto sink = MakeAtLeastOnceSink(brokers, topic);
  ASSERT_OK(sink->Open());
  ASSERT_OK(sink->Write(NumberedRows(0, 10)));
  const auto first = sink->Prepare({1});
  ASSERT_OK(sink->Write(NumberedRows(10, 10)));
  const auto second = sink->Prepare({2});
  EXPECT_EQ(first->at(0).rows, 10);
  EXPECT_EQ(second->at(0).rows, 10);
  ASSERT_OK(sink->Commit({1}, *first));
  ASSERT_OK(sink->Commit({2}, *second));
  EXPECT_EQ(ReadTopic(brokers, topic).size(), 20u);
}

TEST_F(KafkaSinkTest, RowsAreSpreadOverThePartitions) {
  const std::string topic = NewTopic(2);
  const auto sink = MakeAtLeastOnceSink(brokers, topic);
  ASSERT_OK(sink->Open());
  KafkaReader reader(ReadAllOptions(brokers, topic, {{"scan.bounded.mode", "unbounded"}}));
  ASSERT_OK(reader.Open());
  // A partition is kept for a batch, so that batches are large; over time both get rows.
  const auto both = [&] {
    return reader.source().Positions()[0].next_position > 0 &&
           reader.source().Positions()[1].next_position > 0;
  };
  for (int epoch = 0; epoch < 200 && !both(); ++epoch) {
    ASSERT_OK(sink->Write(NumberedRows(epoch, 1)));
    ASSERT_OK(CommitEpoch(*sink, epoch));
    ASSERT_OK(
        reader.PollUntil([&] { return reader.records.size() == static_cast<size_t>(epoch) + 1; }));
  }
  EXPECT_TRUE(both());
}

TEST_F(KafkaSinkTest, AMissingTopicIsAUserErrorAndIsNotCreated) {
  const std::string topic = NewTopic(1) + "x";
  const Status status = MakeAtLeastOnceSink(brokers, topic)->Open();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(status.error().message, HasSubstr("'" + topic + "' does not exist"));
  EXPECT_FALSE(KafkaReader(ReadAllOptions(brokers, topic)).Discover());
}

TEST_F(KafkaSinkTest, ARowThatIsTooLargeSaysWhatToRaise) {
  const std::string topic = NewTopic(1);
  const auto sink = MakeAtLeastOnceSink(brokers, topic);
  ASSERT_OK(sink->Open());
  const Status status = sink->Write(TextRows({std::string(2 << 20, 'x')}));
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("properties.message.max.bytes"));
  const auto larger =
      MakeAtLeastOnceSink(brokers, topic, {{"properties.message.max.bytes", "15000000"}});
  ASSERT_OK(larger->Open());
  ASSERT_OK(larger->Write(TextRows({std::string(10 << 20, 'x')})));
  ASSERT_OK(CommitEpoch(*larger, 1));
  EXPECT_EQ(ReadTopic(brokers, topic).at(0).size(), size_t{10} << 20);
}

TEST_F(KafkaSinkTest, AWrongPasswordIsFinal) {
  const Status status = MakeAtLeastOnceSink(RunningPeers().kafka_sasl_url, "t",
                                            {{"properties.security.protocol", "SASL_PLAINTEXT"},
                                             {"properties.sasl.mechanism", "PLAIN"},
                                             {"properties.sasl.username", "watershed"},
                                             {"properties.sasl.password", "not-the-password"}})
                            ->Open();
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("properties.sasl.password"));
}

// One broker, stopped and started under a source and a sink.
TEST(KafkaOutage, SourceAndSinkSayThatTheBrokerIsAwayAndGoOnWhenItIsBack) {
  OwnedPeer broker(OwnedPeer::Kind::kKafka);
  CreateTopic(broker.url(), "outage", 2);
  const auto sink = MakeAtLeastOnceSink(broker.url(), "outage");
  ASSERT_OK(sink->Open());
  ASSERT_OK(sink->Write(NumberedRows(0, 100)));
  ASSERT_OK(CommitEpoch(*sink, 1));
  KafkaReader reader(ReadAllOptions(broker.url(), "outage", {{"scan.bounded.mode", "unbounded"}}));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntil([&] { return reader.records.size() == 100; }));

  broker.Kill();
  ASSERT_OK(reader.PollUntil([&] { return !reader.degraded_reason.empty(); }));
  EXPECT_THAT(reader.degraded_reason, HasSubstr("retrying"));
  EXPECT_THAT(reader.degraded_reason, HasSubstr(broker.url()));
  ASSERT_OK(sink->Write(NumberedRows(100, 100)));
  const auto segments = sink->Prepare({2});
  const Status away = sink->Commit({2}, *segments);
  ASSERT_FALSE(away);
  EXPECT_TRUE(away.error().retryable);
  EXPECT_THAT(away.error().message, HasSubstr("outage"));

  broker.Start();
  // Heals without a new record too.
  ASSERT_OK(reader.PollUntil([&] { return reader.degraded_reason.empty(); }));
  Status again = sink->Commit({2}, *segments);
  for (int i = 0; i < 10 && !again; ++i) again = sink->Commit({2}, *segments);
  ASSERT_OK(again);
  ASSERT_OK(reader.PollUntil([&] { return reader.records.size() >= 200; }));
  const auto values = reader.values();
  EXPECT_EQ(std::set<std::string>(values.begin(), values.end()).size(), 200u);
  EXPECT_EQ(values.size(), 200u);  // the producer is idempotent
}

TEST(KafkaOutage, ABrokerKilledUnderABusySinkCostsNoRowAndDoublesNone) {
  OwnedPeer broker(OwnedPeer::Kind::kKafka);
  CreateTopic(broker.url(), "busy", 2);
  const auto sink = MakeAtLeastOnceSink(broker.url(), "busy");
  ASSERT_OK(sink->Open());
  std::atomic<bool> is_back{false};
  std::thread killer;
  int written = 0, epochs_since = 0;
  for (int epoch = 0; epochs_since < 3; ++epoch) {
    if (epoch == 5) {
      killer = std::thread([&] {
        broker.Kill();
        broker.Start();
        is_back = true;
      });
    }
    ASSERT_OK(sink->Write(NumberedRows(written, 2000)));
    written += 2000;
    const auto segments = sink->Prepare({epoch});
    Status status = sink->Commit({epoch}, *segments);
    while (!status && status.error().retryable) status = sink->Commit({epoch}, *segments);
    if (!status) killer.join();
    ASSERT_OK(status);
    if (is_back) ++epochs_since;
  }
  killer.join();
  const auto values = ReadTopic(broker.url(), "busy");
  EXPECT_EQ(values.size(), static_cast<size_t>(written));
  EXPECT_EQ(std::set<std::string>(values.begin(), values.end()).size(), values.size());
}

}  // namespace
}  // namespace watershed::test
