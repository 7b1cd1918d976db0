// What librdkafka's mock cluster can prove of the Kafka connector: errors that a real broker does
// not give on demand. It has no transactions and no control records; see tests/connectors for
// those.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <optional>
#include <set>

#include "runtime/connectors/kafka/enumerator.h"
#include "runtime/connectors/kafka/sink.h"
#include "runtime/connectors/kafka/source.h"
#include "tests/support/assert_ok.h"
#include "tests/support/text_rows.h"

namespace watershed::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr int16_t kProduceApi = 0;
constexpr int16_t kFetchApi = 1;
constexpr int16_t kListOffsetsApi = 2;

class KafkaMockTest : public testing::Test {
 protected:
  KafkaMockTest() {
    std::array<char, 512> reason{};
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason.data(), reason.size());
    cluster_ = rd_kafka_mock_cluster_new(owner_, 1);
    rd_kafka_mock_topic_create(cluster_, "events", 2, 1);
  }
  ~KafkaMockTest() override {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(owner_);
  }

  OptionMap Options() const {
    return {{"topic", "events"},
            {"properties.bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_)},
            {"scan.startup.mode", "earliest-offset"},
            {"scan.bounded.mode", "latest-offset"}};
  }
  std::unique_ptr<Sink> OpenSink() {
    auto sink = MakeKafkaSink(
        {{"topic", "events"},
         {"delivery", "at-least-once"},
         {"properties.bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_)}},
        std::make_unique<TextEncoder>(), {});
    const Status status = (*sink)->Open();
    EXPECT_TRUE(status) << status.error().message;
    return std::move(*sink);
  }
  static Status CommitEpoch(Sink& sink) {
    WS_ASSIGN_OR_RETURN(const auto segments, sink.Prepare({1}));
    return sink.Commit({1}, segments);
  }
  Status WriteRows(int count) {
    const auto sink = OpenSink();
    WS_RETURN_IF_ERROR(sink->Write(NumberedRows(0, count)));
    return CommitEpoch(*sink);
  }
  Result<std::vector<SourceSplit>> Discover() {
    WS_ASSIGN_OR_RETURN(const auto enumerator, MakeKafkaEnumerator(Options(), {}));
    return enumerator->Discover();
  }
  // Reads until finished or an error; the values read.
  Result<std::vector<std::string>> ReadAll() {
    WS_ASSIGN_OR_RETURN(const auto splits, Discover());
    WS_ASSIGN_OR_RETURN(const auto source, MakeKafkaSource(Options(), {}));
    WS_RETURN_IF_ERROR(source->Open(splits));
    std::vector<std::string> values;
    PolledRecords polled;
    const auto give_up_at = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!polled.finished && std::chrono::steady_clock::now() < give_up_at) {
      WS_RETURN_IF_ERROR(source->Poll(polled, 100, milliseconds(20)));
      for (const RawRecord& record : polled.raw) values.emplace_back(record.value);
    }
    if (!polled.finished) return InternalError("not finished after {} records", values.size());
    return values;
  }

  rd_kafka_t* owner_;
  rd_kafka_mock_cluster_t* cluster_;
};

TEST_F(KafkaMockTest, WhatTheSinkWroteTheSourceReads) {
  ASSERT_OK(WriteRows(1000));
  const auto values = ReadAll();
  ASSERT_OK(values);
  EXPECT_EQ(values->size(), 1000u);
  EXPECT_EQ(std::set<std::string>(values->begin(), values->end()).size(), 1000u);
}

TEST_F(KafkaMockTest, PassingErrorsOfFetchesAreRetried) {
  ASSERT_OK(WriteRows(100));
  rd_kafka_mock_push_request_errors(
      cluster_, kFetchApi, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
      RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__TRANSPORT);
  const auto values = ReadAll();
  ASSERT_OK(values);
  EXPECT_EQ(values->size(), 100u);
}

TEST_F(KafkaMockTest, PassingErrorsOfOffsetRequestsAreRetried) {
  ASSERT_OK(WriteRows(100));
  rd_kafka_mock_push_request_errors(cluster_, kListOffsetsApi, 2,
                                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
  const auto values = ReadAll();
  ASSERT_OK(values);
  EXPECT_EQ(values->size(), 100u);
}

TEST_F(KafkaMockTest, ATopicThatMayNotBeUsedIsFinal) {
  rd_kafka_mock_topic_set_error(cluster_, "events", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const auto splits = Discover();
  ASSERT_FALSE(splits);
  EXPECT_FALSE(splits.error().retryable);
  EXPECT_THAT(splits.error().message, HasSubstr("permission"));
}

TEST_F(KafkaMockTest, ACommitWaitsOutProduceErrorsThatPass) {
  auto sink = OpenSink();
  rd_kafka_mock_push_request_errors(cluster_, kProduceApi, 2, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  ASSERT_OK(sink->Write(NumberedRows(0, 50)));
  ASSERT_OK(CommitEpoch(*sink));
  sink.reset();  // what is not delivered now never will be
  const auto values = ReadAll();
  ASSERT_OK(values);
  EXPECT_EQ(values->size(), 50u);
}

TEST_F(KafkaMockTest, ARowThatTheBrokerRefusesFailsTheEpoch) {
  const auto sink = OpenSink();
  rd_kafka_mock_push_request_errors(cluster_, kProduceApi, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  ASSERT_OK(sink->Write(NumberedRows(0, 1)));
  const Status status = CommitEpoch(*sink);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("topic 'events'"));
  EXPECT_THAT(status.error().message, HasSubstr("partition"));
}

class KafkaMockOutageTest : public KafkaMockTest {
 protected:
  void Open(std::optional<int64_t> end_position) {
    OptionMap options = Options();
    if (!end_position) options.erase("scan.bounded.mode");
    source_ = std::move(*MakeKafkaSource(options, {}));
    const SourceSplit split{
        .id = "events-0", .topic = "events", .partition = 0, .end_position = end_position};
    ASSERT_OK(source_->Open({&split, 1}));
  }
  template <typename Done>
  void PollUntil(const Done& done) {
    const auto give_up_at = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done() && std::chrono::steady_clock::now() < give_up_at) {
      ASSERT_OK(source_->Poll(polled_, 100, milliseconds(20)));
    }
    ASSERT_TRUE(done());
  }

  std::unique_ptr<Source> source_;
  PolledRecords polled_;
};

TEST_F(KafkaMockOutageTest, ABrokerThatIsAwayAtTheStartIsToldAndForgotten) {
  rd_kafka_mock_broker_set_down(cluster_, 1);
  Open(std::nullopt);
  PollUntil([&] { return !polled_.degraded_reason.empty(); });
  EXPECT_THAT(polled_.degraded_reason, HasSubstr("retrying"));
  EXPECT_TRUE(polled_.progress.empty() || !polled_.progress[0].caught_up);
  rd_kafka_mock_broker_set_up(cluster_, 1);
  PollUntil([&] { return polled_.degraded_reason.empty(); });
}

TEST_F(KafkaMockOutageTest, ABrokerThatGoesWhileIdleIsToldAndNothingCountsAsCaughtUp) {
  Open(std::nullopt);
  bool caught_up = false;
  const auto observe = [&] {
    if (!polled_.progress.empty()) caught_up = polled_.progress[0].caught_up;
    return caught_up;
  };
  PollUntil(observe);
  rd_kafka_mock_broker_set_down(cluster_, 1);
  PollUntil([&] {
    observe();
    return !polled_.degraded_reason.empty() && !caught_up;
  });
  rd_kafka_mock_broker_set_up(cluster_, 1);
  PollUntil([&] {
    observe();
    return polled_.degraded_reason.empty() && caught_up;
  });
}

TEST_F(KafkaMockOutageTest, ASourceThatHasReadAllDoesNotMissTheBroker) {
  rd_kafka_mock_broker_set_down(cluster_, 1);
  Open(0);
  const auto end = std::chrono::steady_clock::now() + milliseconds(500);
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_OK(source_->Poll(polled_, 100, milliseconds(20)));
    ASSERT_TRUE(polled_.finished);
    ASSERT_EQ(polled_.degraded_reason, "");
  }
}

}  // namespace
}  // namespace watershed::test
