// Rows that are records as they are (dead letters): their bytes, nulls and headers arrive
// unchanged, by either delivery, and from a checkpoint too.
#include <gmock/gmock.h>
#include <librdkafka/rdkafka.h>

#include <memory>
#include <set>

#include "runtime/types/dead_letter.h"
#include "tests/connectors/kafka_sink_fixture.h"
#include "tests/connectors/kafka_writer.h"

namespace watershed::test {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

using Bytes = std::optional<std::string>;

std::string Text(const Bytes& bytes) { return bytes ? "'" + *bytes + "'" : "null"; }

struct Letter {
  Bytes value;
  Bytes key;
  std::string message;
  int64_t offset = 0;
};

RecordBatch Rows(const std::vector<Letter>& letters) {
  BatchBuilder builder(DeadLetterSchema());
  const auto append = [&](int column, const Bytes& bytes) {
    if (bytes) return builder.column(column).AppendString(*bytes);
    builder.column(column).AppendNull();
  };
  for (const Letter& letter : letters) {
    append(0, letter.value);
    append(1, letter.key);
    builder.column(2).AppendString(letter.message);
    builder.column(3).AppendString("web");
    builder.column(4).AppendInt32(3);
    builder.column(5).AppendInt64(letter.offset);
    builder.column(6).AppendInt64(1'700'000'000'000);
    builder.column(7).AppendString("events");
    builder.FinishRow();
  }
  return builder.Finish();
}

std::string Described(const Letter& letter) {
  return Text(letter.value) + " " + Text(letter.key) +
         " __watershed.errors.message=" + letter.message +
         " __watershed.errors.topic=web __watershed.errors.partition=3 __watershed.errors.offset=" +
         std::to_string(letter.offset) +
         " __watershed.errors.timestamp=1700000000000 __watershed.errors.source=events";
}

const std::vector<Letter> kLetters = {
    {"{\"ip\": oops", "key", "malformed JSON", 7},
    {std::nullopt, "gone", "a tombstone", 8},
    {"", std::nullopt, "empty", 9},
    {std::string("\0\xff\n", 3), "", "bytes", 10},
    {std::string(100'000, 'x'), "large", std::string(), int64_t{1} << 40},
};

std::vector<std::string> Described(const std::vector<Letter>& letters) {
  std::vector<std::string> described;
  described.reserve(letters.size());
  for (const Letter& letter : letters) described.push_back(Described(letter));
  return described;
}

Bytes Copy(const void* bytes, size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(bytes), size);
}

std::string Described(const rd_kafka_message_t& message) {
  std::string text =
      Text(Copy(message.payload, message.len)) + " " + Text(Copy(message.key, message.key_len));
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return text;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    text += " " + std::string(name) + "=" + Copy(value, size).value_or("null");
  }
  return text;
}

// All committed records of the topic, as a client of librdkafka's own sees them.
std::vector<std::string> ReadRecords(const std::string& brokers, const std::string& topic,
                                     int partitions) {
  AwaitSettled(brokers, topic);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  for (const auto& [name, value] : OptionMap{{"bootstrap.servers", brokers},
                                             {"group.id", "test"},
                                             {"enable.auto.commit", "false"},
                                             {"enable.partition.eof", "true"}}) {
    rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error);
  }
  rd_kafka_t* const client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  rd_kafka_topic_partition_list_t* const all = rd_kafka_topic_partition_list_new(partitions);
  std::set<int> open;
  for (int i = 0; i < partitions; ++i) {
    open.insert(i);
    rd_kafka_topic_partition_list_add(all, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(client, all);
  rd_kafka_topic_partition_list_destroy(all);
  std::vector<std::string> records;
  while (!open.empty()) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(client, 20'000);
    if (message == nullptr) break;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) open.erase(message->partition);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) records.push_back(Described(*message));
    rd_kafka_message_destroy(message);
  }
  rd_kafka_destroy(client);
  EXPECT_TRUE(open.empty()) << "the topic does not come to its end";
  return records;
}

class KafkaRecordSinkTest : public KafkaSinkTest {
 protected:
  std::unique_ptr<Sink> Make(const std::string& delivery) {
    auto sink = MakeKafkaRecordSink(
        {{"topic", topic}, {"properties.bootstrap.servers", brokers}, {"delivery", delivery}},
        *DeadLetterSchema(),
        {.job_name = "test", .job = JobId{"job"}, .operator_id = "events-dead-letters"});
    EXPECT_TRUE(sink) << sink.error().message;
    return std::move(*sink);
  }
  Status Open(Sink& sink, int32_t attempt = 1) {
    WS_RETURN_IF_ERROR(sink.Open());
    const std::vector<WriterId> writers = {{topic, "events-dead-letters", 0}};
    auto fenced = sink.Fence(writers, {attempt});
    return fenced ? Ok() : tl::make_unexpected(std::move(fenced).error());
  }
  std::vector<std::string> Records() { return ReadRecords(brokers, topic, 2); }

  const std::string topic = NewTopic(2);  // its name is the lineage, too
};

TEST_F(KafkaRecordSinkTest, BytesNullsAndHeadersArriveByEitherDelivery) {
  for (const std::string delivery : {"at-least-once", "exactly-once"}) {
    const auto sink = Make(delivery);
    ASSERT_OK(Open(*sink));
    ASSERT_OK(sink->Write(Rows(kLetters)));
    ASSERT_OK(CommitEpoch(*sink, 1));
  }
  std::vector<std::string> expected = Described(kLetters);
  const std::vector<std::string> again = expected;
  expected.insert(expected.end(), again.begin(), again.end());
  EXPECT_THAT(Records(), UnorderedElementsAreArray(expected));
}

TEST_F(KafkaRecordSinkTest, ThoseOfACheckpointArriveOnceWhoeverRecoversThem) {
  const auto former = Make("exactly-once");
  ASSERT_OK(Open(*former));
  ASSERT_OK(former->Write(Rows(kLetters)));
  const auto segments = former->Prepare({1});
  ASSERT_OK(segments);
  EXPECT_THAT(Records(), ElementsAre());  // not before their epoch
  const auto successor = Make("exactly-once");
  ASSERT_OK(Open(*successor, 2));
  ASSERT_OK(successor->Recover(*segments));
  ASSERT_OK(successor->Recover(*segments));
  EXPECT_THAT(Records(), UnorderedElementsAreArray(Described(kLetters)));
  EXPECT_FALSE(former->Commit({1}, *segments));  // its writer was taken over
  EXPECT_THAT(Records(), UnorderedElementsAreArray(Described(kLetters)));
}

TEST_F(KafkaRecordSinkTest, ASinkThatDeliversAtLeastOnceRecoversHeadersToo) {
  const auto former = Make("exactly-once");
  ASSERT_OK(Open(*former));
  ASSERT_OK(former->Write(Rows(kLetters)));
  const auto segments = former->Prepare({1});
  ASSERT_OK(segments);
  const auto successor = Make("at-least-once");
  ASSERT_OK(Open(*successor, 2));
  ASSERT_OK(successor->Recover(*segments));
  EXPECT_THAT(Records(), UnorderedElementsAreArray(Described(kLetters)));
}

TEST_F(KafkaRecordSinkTest, AnEpochLargerThanATransactionIsWhole) {
  std::vector<Letter> many;
  many.reserve(120'000);
  for (int i = 0; i < 120'000; ++i) {
    many.push_back({std::to_string(i), std::nullopt, "malformed", i});
  }
  const auto sink = Make("exactly-once");
  ASSERT_OK(Open(*sink));
  ASSERT_OK(sink->Write(Rows(many)));
  ASSERT_OK(CommitEpoch(*sink, 1));
  std::vector<std::string> expected = Described(many), found = Records();
  std::ranges::sort(expected);
  std::ranges::sort(found);
  EXPECT_TRUE(expected == found) << found.size();
}

TEST_F(KafkaRecordSinkTest, ARecordThatTheTopicCannotTakeIsNamedBeforeTheCheckpoint) {
  const auto sink = Make("exactly-once");
  ASSERT_OK(Open(*sink));
  const Status written = sink->Write(Rows({{std::string(2'000'000, 'x'), "k", "large", 1}}));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, testing::HasSubstr("max.message.bytes"));
}

TEST_F(KafkaRecordSinkTest, OtherRowsNeedAFormat) {
  const auto sink = MakeKafkaRecordSink(
      {{"topic", topic}, {"properties.bootstrap.servers", brokers}}, *TextRows({"a"}).schema(), {});
  ASSERT_FALSE(sink);
  EXPECT_THAT(sink.error().message, testing::HasSubstr("value and key"));
}

}  // namespace
}  // namespace watershed::test
