// Commits whose outcome nobody knows: a lost answer, a broker that was killed or away for longer
// than a transaction may be open.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "tests/connectors/kafka_sink_fixture.h"
#include "tests/connectors/lost_answer_proxy.h"
#include "tests/support/owned_peer.h"

namespace watershed::test {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::chrono::seconds kTransactionTimeout(3);

Result<std::vector<WriterMarker>> Fence(Sink& sink, const std::string& lineage, int32_t attempt) {
  WS_RETURN_IF_ERROR(sink.Open());
  const std::vector<WriterId> ids = {{lineage, "raw", 0}};
  return sink.Fence(ids, {attempt});
}

Status CommitUntilKnown(Sink& sink, int64_t epoch, std::span<const SinkSegment> segments) {
  Status status = sink.Commit({epoch}, segments);
  while (!status && status.error().retryable) status = sink.Commit({epoch}, segments);
  return status;
}

class KafkaLostAnswerTest : public KafkaSinkTest {
 protected:
  std::unique_ptr<Sink> MakeBehindProxy() {
    return MakeSink("127.0.0.1:" + std::to_string(proxy.port()), topic);
  }
  std::vector<SinkSegment> Segments(Sink& sink, int64_t epoch, int rows) {
    EXPECT_TRUE(sink.Write(NumberedRows(0, rows)));
    auto segments = sink.Prepare({epoch});
    EXPECT_TRUE(segments);
    return std::move(*segments);
  }
  // None missing, none twice.
  void ExpectRows(int count) {
    const auto rows = ReadTopic(brokers, topic);
    EXPECT_EQ(rows.size(), static_cast<size_t>(count));
    EXPECT_EQ(std::set<std::string>(rows.begin(), rows.end()).size(), rows.size());
  }

  const std::string topic = NewTopic(2);  // its name is the lineage, too
  LostAnswerProxy proxy{"127.0.0.1", std::stoi(brokers.substr(brokers.find(':') + 1))};
};

TEST_F(KafkaLostAnswerTest, ACommitWhoseAnswerWasLostIsSettledByTheSameAttempt) {
  const auto sink = MakeBehindProxy();
  ASSERT_OK(Fence(*sink, topic, 1));
  const std::vector<SinkSegment> segments = Segments(*sink, 1, 100);
  proxy.LoseAnswerTo(kKafkaEndTxn);
  const Status lost = sink->Commit({1}, segments);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().retryable);
  EXPECT_THAT(lost.error().message, HasSubstr("whether it was"));
  EXPECT_TRUE(proxy.lost_one());
  proxy.Resume();
  ASSERT_OK(CommitUntilKnown(*sink, 1, segments));
  ExpectRows(100);
}

TEST_F(KafkaLostAnswerTest, ACommitWhoseAnswerWasLostIsSettledByAnotherAttempt) {
  const auto sink = MakeBehindProxy();
  ASSERT_OK(Fence(*sink, topic, 1));
  const std::vector<SinkSegment> segments = Segments(*sink, 1, 100);
  proxy.LoseAnswerTo(kKafkaEndTxn);
  ASSERT_FALSE(sink->Commit({1}, segments));
  const auto next = MakeSink(brokers, topic);
  const auto markers = Fence(*next, topic, 2);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, 1);
  ASSERT_OK(next->Recover(segments));
  ExpectRows(100);
}

// 250,000 rows are three transactions; the answer to the second one is lost.
TEST_F(KafkaLostAnswerTest, AnEpochOfSeveralTransactionsGoesOnWhereItWasInterrupted) {
  const auto sink = MakeBehindProxy();
  ASSERT_OK(Fence(*sink, topic, 1));
  const std::vector<SinkSegment> segments = Segments(*sink, 1, 250'000);
  proxy.LoseAnswerTo(kKafkaEndTxn, 2);
  ASSERT_FALSE(sink->Commit({1}, segments));
  EXPECT_TRUE(proxy.lost_one());
  ExpectRows(200'000);
  const auto next = MakeSink(brokers, topic);
  const auto markers = Fence(*next, topic, 2);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, -1);
  EXPECT_EQ(markers->at(0).begun_epoch.value, 1);
  EXPECT_EQ(markers->at(0).begun_by, "job");
  ASSERT_OK(next->Recover(segments));
  ExpectRows(250'000);
  const auto last = Fence(*MakeSink(brokers, topic), topic, 3);
  ASSERT_OK(last);
  EXPECT_EQ(last->at(0).last_committed_epoch.value, 1);
  EXPECT_EQ(last->at(0).begun_epoch.value, -1);
}

TEST_F(KafkaLostAnswerTest, TheSameAttemptGoesOnWithinAnEpochToo) {
  const auto sink = MakeBehindProxy();
  ASSERT_OK(Fence(*sink, topic, 1));
  const std::vector<SinkSegment> segments = Segments(*sink, 1, 250'000);
  proxy.LoseAnswerTo(kKafkaEndTxn, 1);
  ASSERT_FALSE(sink->Commit({1}, segments));
  proxy.Resume();
  ASSERT_OK(CommitUntilKnown(*sink, 1, segments));
  ExpectRows(250'000);
}

// A job without checkpoints counts its epochs anew: the rows of one that was begun are others.
TEST_F(KafkaLostAnswerTest, AnEpochOfTheSameNumberThatIsNotRestoredIsWrittenWhole) {
  const auto sink = MakeBehindProxy();
  ASSERT_OK(Fence(*sink, topic, 1));
  proxy.LoseAnswerTo(kKafkaEndTxn, 1);
  ASSERT_FALSE(sink->Commit({1}, Segments(*sink, 1, 150'000)));
  const auto next = MakeSink(brokers, topic);
  ASSERT_OK(Fence(*next, topic, 2));
  ASSERT_OK(next->Write(TextRows({"another"})));
  ASSERT_OK(CommitEpoch(*next, 1));
  const auto rows = ReadTopic(brokers, topic);
  EXPECT_EQ(rows.size(), 100'001u);
}

TEST(KafkaCommitOutage, ABrokerThatIsAwayForLongerThanATransactionMayBeOpenCostsNothing) {
  OwnedPeer broker(OwnedPeer::Kind::kKafka);
  CreateTopic(broker.url(), "outage", 2);
  const auto sink =
      MakeSink(broker.url(), "outage", {{"properties.transaction.timeout.ms", "3000"}});
  ASSERT_OK(Fence(*sink, "outage", 1));
  ASSERT_OK(sink->Write(TextRows({"a"})));
  ASSERT_OK(CommitEpoch(*sink, 1));
  ASSERT_OK(sink->Write(TextRows({"b"})));
  const auto segments = sink->Prepare({2});
  ASSERT_OK(segments);
  broker.Kill();
  const auto killed = std::chrono::steady_clock::now();
  int failed = 0;
  while (failed < 2 || std::chrono::steady_clock::now() - killed < 2 * kTransactionTimeout) {
    const Status away = sink->Commit({2}, *segments);
    ASSERT_FALSE(away);
    ASSERT_TRUE(away.error().retryable) << away.error().message;
    ++failed;
  }
  ASSERT_OK(sink->Write(TextRows({"c"})));
  broker.Start();
  ASSERT_OK(CommitUntilKnown(*sink, 2, *segments));
  ASSERT_OK(CommitEpoch(*sink, 3));
  EXPECT_THAT(ReadTopic(broker.url(), "outage"), UnorderedElementsAre("a", "b", "c"));
}

TEST(KafkaCommitOutage, ABrokerKilledUnderABusySinkCostsNoRowAndDoublesNone) {
  OwnedPeer broker(OwnedPeer::Kind::kKafka);
  CreateTopic(broker.url(), "busy", 2);
  const auto sink = MakeSink(broker.url(), "busy", {{"properties.transaction.timeout.ms", "3000"}});
  ASSERT_OK(Fence(*sink, "busy", 1));
  std::atomic<bool> is_back{false};
  std::thread killer;
  int written = 0, epochs_since = 0;
  Status status = Ok();
  for (int epoch = 1; status && epochs_since < 3; ++epoch) {
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
    status = CommitUntilKnown(*sink, epoch, *segments);
    if (is_back) ++epochs_since;
  }
  killer.join();
  ASSERT_OK(status);
  const auto rows = ReadTopic(broker.url(), "busy");
  EXPECT_EQ(rows.size(), static_cast<size_t>(written));
  EXPECT_EQ(std::set<std::string>(rows.begin(), rows.end()).size(), rows.size());
}

}  // namespace
}  // namespace watershed::test
