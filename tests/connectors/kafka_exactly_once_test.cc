// Rows of an epoch are there once for readers of committed records, whatever happens to tasks,
// transactional ids and markers.
#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <map>
#include <set>

#include "tests/connectors/kafka_sink_fixture.h"
#include "tests/connectors/kafka_writer.h"

namespace watershed::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class KafkaExactlyOnceTest : public KafkaSinkTest {
 protected:
  std::unique_ptr<Sink> Make(const std::string& job = "job",
                             std::function<Result<bool>()> is_current = nullptr) {
    return MakeSink(brokers, topic, {},
                    {.job_name = "test",
                     .job = JobId{job},
                     .operator_id = "raw",
                     .is_current = std::move(is_current)});
  }
  // As the engine does it: opens the sink and takes writers over; their markers.
  Result<std::vector<WriterMarker>> Fence(Sink& sink, int32_t attempt = 1,
                                          const std::vector<int32_t>& writers = {0}) {
    WS_RETURN_IF_ERROR(sink.Open());
    std::vector<WriterId> ids;
    for (const int32_t writer : writers) ids.push_back({topic, "raw", writer});
    return sink.Fence(ids, {attempt});
  }
  Status WriteEpoch(Sink& sink, int64_t epoch, const std::string& row) {
    WS_RETURN_IF_ERROR(sink.Write(TextRows({row})));
    return CommitEpoch(sink, epoch);
  }
  // One epoch's segments, of rows that nobody has committed.
  std::vector<SinkSegment> Segments(Sink& sink, int64_t epoch, const std::vector<std::string>& rows,
                                    int32_t writer = 0) {
    EXPECT_TRUE(sink.Write(TextRows(rows)));
    auto segments = sink.Prepare({epoch});
    EXPECT_TRUE(segments);
    for (SinkSegment& segment : *segments) segment.writer = writer;
    return std::move(*segments);
  }
  std::vector<std::string> Rows() { return ReadTopic(brokers, topic); }
  std::string TransactionalId() const { return "watershed-" + topic + "-raw-0"; }

  const std::string topic = NewTopic(2);  // its name is the lineage, too
  const std::string progress_topic = "watershed-progress-" + topic;
};

TEST_F(KafkaExactlyOnceTest, RowsAreThereOnceTheirEpochIsCommittedAndNotBefore) {
  const auto sink = Make();
  const auto markers = Fence(*sink);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, -1);
  EXPECT_TRUE(sink->keeps_markers());
  EXPECT_FALSE(sink->writes_at_once());
  ASSERT_OK(sink->Write(TextRows({"a", "b"})));
  EXPECT_GT(sink->buffered_bytes(), 0);
  const auto first = sink->Prepare({5});
  ASSERT_OK(first);
  EXPECT_EQ(sink->buffered_bytes(), 0);
  EXPECT_EQ(first->at(0).rows, 2);
  ASSERT_OK(sink->Write(TextRows({"c"})));
  EXPECT_THAT(Rows(), IsEmpty());
  ASSERT_OK(sink->Commit({5}, *first));
  EXPECT_THAT(Rows(), UnorderedElementsAre("a", "b"));
  ASSERT_OK(sink->Commit({5}, *first));  // asked again
  ASSERT_OK(CommitEpoch(*sink, 6));
  EXPECT_THAT(Rows(), UnorderedElementsAre("a", "b", "c"));
}

TEST_F(KafkaExactlyOnceTest, ASuccessorKnowsWhatWasCommittedAndByWhom) {
  const auto old = Make("old");
  ASSERT_OK(Fence(*old, 1, {0, 1}));
  ASSERT_OK(WriteEpoch(*old, 7, "a"));
  const auto now = Make("now");
  const auto markers = Fence(*now, 2, {0, 1, 2});
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, 7);
  EXPECT_EQ(markers->at(0).committed_by, "old");
  EXPECT_EQ(markers->at(1).last_committed_epoch.value, -1);
  EXPECT_EQ(markers->at(2).last_committed_epoch.value, -1);
}

TEST_F(KafkaExactlyOnceTest, WhoeverWasReplacedWritesNothing) {
  bool is_current = true;
  const auto old = Make("job", [&] { return Result<bool>(is_current); });
  ASSERT_OK(Fence(*old, 1));
  const auto now = Make();
  ASSERT_OK(Fence(*now, 2));
  is_current = false;
  const std::vector<SinkSegment> segments = Segments(*old, 1, {"zombie"});
  for (int i = 0; i < 2; ++i) {
    const Status refused = old->Commit({1}, segments);
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().retryable);
    EXPECT_THAT(refused.error().message, HasSubstr("attempt 1 of the job is over"));
  }
  ASSERT_OK(WriteEpoch(*now, 1, "a"));
  EXPECT_THAT(Rows(), ElementsAre("a"));
}

// Nobody to ask: what it finds at the target decides.
TEST_F(KafkaExactlyOnceTest, AnAttemptThatWakesUpLateCannotTakeItsWriterBack) {
  const auto old = Make(), late = Make(), now = Make();
  ASSERT_OK(Fence(*old, 1));
  ASSERT_OK(Fence(*now, 2));
  const std::vector<SinkSegment> segments = Segments(*old, 1, {"zombie"});
  const Status fenced = old->Commit({1}, segments);
  ASSERT_FALSE(fenced);
  EXPECT_TRUE(fenced.error().retryable);
  for (const Status& status : {old->Commit({1}, segments), [&]() -> Status {
                                 WS_RETURN_IF_ERROR(Fence(*late, 1));
                                 return Ok();
                               }()}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
    EXPECT_THAT(status.error().message, HasSubstr("attempt 2 has taken writer 0"));
  }
  // Both have had the transactional id for a moment.
  const std::vector<SinkSegment> own = Segments(*now, 1, {"a"});
  EXPECT_FALSE(now->Commit({1}, own));
  ASSERT_OK(now->Commit({1}, own));
  EXPECT_THAT(Rows(), ElementsAre("a"));
}

TEST_F(KafkaExactlyOnceTest, AZombiesOpenTransactionIsEndedAndItsCommitRefused) {
  const auto old = Make();
  ASSERT_OK(Fence(*old, 1));
  KafkaWriter zombie(brokers, topic, TransactionalId());
  zombie.Begin();
  zombie.WriteNumbered(0, "zombie", 3);
  const auto now = Make();
  const auto markers = Fence(*now, 2);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, -1);
  ASSERT_OK(WriteEpoch(*now, 1, "a"));  // readers would wait for an open transaction
  EXPECT_THAT(Rows(), ElementsAre("a"));
  EXPECT_FALSE(zombie.TryCommit());
  EXPECT_THAT(Rows(), ElementsAre("a"));
}

TEST_F(KafkaExactlyOnceTest, AStolenTransactionalIdIsTakenBackByWhoeverIsCurrent) {
  bool is_current = true;
  const auto sink = Make("job", [&] { return Result<bool>(is_current); });
  ASSERT_OK(Fence(*sink));
  ASSERT_OK(WriteEpoch(*sink, 1, "a"));
  {
    KafkaWriter thief(brokers, topic, TransactionalId());
    const std::vector<SinkSegment> segments = Segments(*sink, 2, {"b"});
    const Status stolen = sink->Commit({2}, segments);
    ASSERT_FALSE(stolen);
    EXPECT_TRUE(stolen.error().retryable) << stolen.error().message;
    ASSERT_OK(sink->Commit({2}, segments));
  }
  EXPECT_THAT(Rows(), UnorderedElementsAre("a", "b"));
  KafkaWriter thief(brokers, topic, TransactionalId());
  is_current = false;
  const Status status = WriteEpoch(*sink, 3, "c");
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(Rows(), UnorderedElementsAre("a", "b"));
}

TEST_F(KafkaExactlyOnceTest, WhileNobodyKnowsWhoIsCurrentNothingIsWritten) {
  Result<bool> answer = true;
  const auto sink = Make("job", [&] { return answer; });
  ASSERT_OK(Fence(*sink));
  KafkaWriter thief(brokers, topic, TransactionalId());
  answer = TransientError("the JobManager is away");
  const std::vector<SinkSegment> segments = Segments(*sink, 1, {"a"});
  for (int i = 0; i < 2; ++i) {
    const Status status = sink->Commit({1}, segments);
    ASSERT_FALSE(status);
    EXPECT_TRUE(status.error().retryable);
    EXPECT_THAT(status.error().message, HasSubstr("JobManager is away"));
  }
  EXPECT_THAT(Rows(), IsEmpty());
  answer = true;
  ASSERT_OK(sink->Commit({1}, segments));
  EXPECT_THAT(Rows(), ElementsAre("a"));
}

TEST_F(KafkaExactlyOnceTest, OfTwoJobsOfOneLineageAndAttemptTheFirstWrites) {
  const auto first = Make("first"), second = Make("second");
  ASSERT_OK(Fence(*first, 2));
  const auto refused = Fence(*second, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("job first"), HasSubstr("--fork")));
  const std::vector<SinkSegment> segments = Segments(*first, 1, {"a"});
  EXPECT_FALSE(first->Commit({1}, segments));  // the other had its transactional id for a moment
  ASSERT_OK(first->Commit({1}, segments));
  ASSERT_OK(Fence(*second, 3));
  const std::vector<SinkSegment> more = Segments(*first, 2, {"b"});
  EXPECT_FALSE(first->Commit({2}, more));
  EXPECT_THAT(first->Commit({2}, more).error().message, HasSubstr("job second"));
  EXPECT_THAT(Rows(), ElementsAre("a"));
}

TEST_F(KafkaExactlyOnceTest, WhatIsLeftOfAllWritersIsWrittenOnceInTheirNames) {
  const auto old = Make();
  ASSERT_OK(Fence(*old, 1, {0, 1}));
  std::vector<SinkSegment> left = Segments(*old, 4, {"0-4"});
  ASSERT_OK(old->Commit({4}, left));
  for (const SinkSegment& segment : Segments(*old, 5, {"0-5a"})) left.push_back(segment);
  for (const SinkSegment& segment : Segments(*old, 5, {"0-5b"})) left.push_back(segment);
  for (const SinkSegment& segment : Segments(*old, 4, {"1-4"}, 1)) left.push_back(segment);
  // Twice, as when the task is lost behind its first recovery; by one subtask where there were two.
  for (const int32_t attempt : {2, 3}) {
    const auto now = Make();
    ASSERT_OK(Fence(*now, attempt, {0, 1}));
    ASSERT_OK(now->Recover(left));
  }
  EXPECT_THAT(Rows(), UnorderedElementsAre("0-4", "0-5a", "0-5b", "1-4"));
  const auto markers = Fence(*Make(), 4, {0, 1});
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, 5);
  EXPECT_EQ(markers->at(1).last_committed_epoch.value, 4);
}

TEST_F(KafkaExactlyOnceTest, AtLeastOnceWritesWhatExactlyOnceHasLeft) {
  const auto old = Make();
  ASSERT_OK(Fence(*old));
  const std::vector<SinkSegment> left = Segments(*old, 1, {"a", "b"});
  const auto now = MakeSink(brokers, topic, {{"delivery", "at-least-once"}});
  EXPECT_FALSE(now->keeps_markers());
  ASSERT_OK(Fence(*now, 2));
  ASSERT_OK(now->Recover(left));
  EXPECT_THAT(Rows(), UnorderedElementsAre("a", "b"));
}

// Markers lie behind a transaction that somebody else has left open: the end that a reader of
// committed records is told lies before it.
TEST_F(KafkaExactlyOnceTest, AMarkerBehindAnOpenTransactionIsNotOverlooked) {
  const auto old = Make();
  ASSERT_OK(Fence(*old));
  KafkaWriter other(brokers, progress_topic, topic + "-other");
  other.Begin();
  other.Write(
      {{.value = R"({"version":1,"attempt":1,"job":"j","epoch":9,"by":"j"})", .key = "other/0"}});
  ASSERT_OK(WriteEpoch(*old, 3, "a"));
  const auto now = Make();
  auto fenced = std::async(std::launch::async, [&] { return Fence(*now, 2); });
  // Time for a reader that does not wait to come back with less.
  EXPECT_EQ(fenced.wait_for(std::chrono::seconds(1)), std::future_status::timeout);
  other.Commit();
  const auto markers = fenced.get();
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, 3);
}

TEST_F(KafkaExactlyOnceTest, AProgressTopicThatWouldForgetIsRefused) {
  CreateTopic(brokers, progress_topic, 1);
  const auto refused = Fence(*Make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr(progress_topic), HasSubstr("cleanup.policy=delete"),
                    HasSubstr("--add-config cleanup.policy=compact")));
}

TEST_F(KafkaExactlyOnceTest, ProgressThatWasDeletedStopsTheWriter) {
  const auto sink = Make();
  ASSERT_OK(Fence(*sink));
  ASSERT_OK(WriteEpoch(*sink, 1, "a"));
  DeleteTopic(brokers, progress_topic);
  const std::vector<SinkSegment> segments = Segments(*sink, 2, {"b"});
  Status status = sink->Commit({2}, segments);
  while (!status && status.error().retryable) status = sink->Commit({2}, segments);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(progress_topic), HasSubstr("--fork")));
  EXPECT_THAT(Rows(), ElementsAre("a"));
}

TEST_F(KafkaExactlyOnceTest, ProgressThatWasDeletedAndBegunAnewStopsTheWriterToo) {
  const auto sink = Make();
  ASSERT_OK(Fence(*sink));
  for (int epoch = 1; epoch <= 3; ++epoch) ASSERT_OK(WriteEpoch(*sink, epoch, "a"));
  DeleteTopic(brokers, progress_topic);
  CreateCompactedTopic(brokers, progress_topic);
  const std::vector<SinkSegment> segments = Segments(*sink, 4, {"b"});
  Status status = sink->Commit({4}, segments);
  while (!status && status.error().retryable) status = sink->Commit({4}, segments);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(status.error().message, HasSubstr(progress_topic));
  EXPECT_THAT(Rows(), ElementsAre("a", "a", "a"));
}

TEST_F(KafkaExactlyOnceTest, ARowThatIsTooLargeIsRefusedBeforeItIsInACheckpoint) {
  const auto sink = Make();
  ASSERT_OK(Fence(*sink));
  const Status status = sink->Write(TextRows({std::string(2 << 20, 'x')}));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(status.error().message, HasSubstr("properties.message.max.bytes"));
  const auto larger = MakeSink(brokers, topic, {{"properties.message.max.bytes", "15000000"}});
  ASSERT_OK(Fence(*larger, 2));
  ASSERT_OK(WriteEpoch(*larger, 1, std::string(10 << 20, 'x')));
  EXPECT_EQ(Rows().at(0).size(), size_t{10} << 20);
}

TEST_F(KafkaExactlyOnceTest, AMissingTopicIsAUserErrorAndIsNotCreated) {
  const Status status = MakeSink(brokers, topic + "x")->Open();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_FALSE(KafkaReader(ReadAllOptions(brokers, topic + "x")).Discover());
}

// Its keys are the first letters.
class LetterEncoder final : public Encoder {
 public:
  explicit LetterEncoder(bool is_key = false) : is_key_(is_key) {}
  Status Encode(const RecordBatch& batch, std::string& bytes,
                std::vector<size_t>& offsets) override {
    bytes.clear();
    offsets.assign(1, 0);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      bytes += batch.column(0).String(row).substr(0, is_key_ ? 1 : std::string::npos);
      offsets.push_back(bytes.size());
    }
    return Ok();
  }
  Result<std::unique_ptr<Encoder>> OfColumns(std::span<const std::string> names) const override {
    EXPECT_THAT(names, ElementsAre("text"));
    return std::make_unique<LetterEncoder>(true);
  }

 private:
  const bool is_key_;
};

TEST_F(KafkaExactlyOnceTest, RowsOfOneKeyGoToOnePartitionByEitherDelivery) {
  std::vector<std::string> rows;
  for (int i = 0; i < 260; ++i) rows.push_back(char('a' + i % 26) + std::to_string(i));
  for (const std::string delivery : {"at-least-once", "exactly-once"}) {
    auto sink = MakeKafkaSink({{"topic", topic},
                               {"properties.bootstrap.servers", brokers},
                               {"delivery", delivery},
                               {"key.fields", "text"}},
                              std::make_unique<LetterEncoder>(),
                              {.job_name = "test", .job = JobId{"job"}, .operator_id = "raw"});
    ASSERT_TRUE(sink) << sink.error().message;
    ASSERT_OK(Fence(**sink));
    ASSERT_OK((*sink)->Write(TextRows(rows)));
    ASSERT_OK(CommitEpoch(**sink, 1));
  }
  AwaitSettled(brokers, topic);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  ASSERT_OK(reader.Open());
  ASSERT_OK(reader.PollUntilFinished());
  EXPECT_EQ(reader.records.size(), 520u);
  std::map<std::string, std::set<std::string>> partitions;
  std::set<std::string> used;
  for (const ReadRecord& record : reader.records) {
    EXPECT_EQ(record.key, record.value->substr(0, 1));
    partitions[record.key].insert(record.split);
    used.insert(record.split);
  }
  EXPECT_EQ(partitions.size(), 26u);
  for (const auto& [key, of_key] : partitions) EXPECT_EQ(of_key.size(), 1u) << key;
  EXPECT_EQ(used.size(), 2u);
}

TEST_F(KafkaExactlyOnceTest, Throughput) {
  for (const std::string delivery : {"at-least-once", "exactly-once"}) {
    const auto sink = MakeSink(brokers, topic, {{"delivery", delivery}});
    ASSERT_OK(Fence(*sink, delivery == "exactly-once" ? 2 : 1));
    const RecordBatch batch = TextRows(std::vector<std::string>(1000, std::string(100, 'x')));
    const auto start = std::chrono::steady_clock::now();
    for (int epoch = 1; epoch <= 10; ++epoch) {
      for (int i = 0; i < 100; ++i) ASSERT_OK(sink->Write(batch));
      ASSERT_OK(CommitEpoch(*sink, epoch));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%s: 1,000,000 rows of 100 bytes in 10 epochs: %.0f rows/s\n", delivery.c_str(),
                1e6 / took.count());
  }
}

}  // namespace
}  // namespace watershed::test
