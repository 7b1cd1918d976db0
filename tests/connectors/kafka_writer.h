// Puts records into Kafka by librdkafka itself, for tests of what the engine reads.
#pragma once

#include <librdkafka/rdkafka.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace watershed::test {

struct WrittenRecord {
  int32_t partition = 0;
  std::optional<std::string> value;  // absent: a tombstone
  std::string key;
  int64_t timestamp_ms = 0;  // 0: now
};

// Ends the test program with a message when the broker does not take something. One thread.
class KafkaWriter {
 public:
  // With a transactional id every Write must lie between Begin and Commit or Abort.
  KafkaWriter(const std::string& brokers, const std::string& topic,
              const std::string& transactional_id = "");
  ~KafkaWriter();
  KafkaWriter(const KafkaWriter&) = delete;
  KafkaWriter& operator=(const KafkaWriter&) = delete;

  // Returns when the broker has all of them.
  void Write(const std::vector<WrittenRecord>& records);
  // `count` records "<prefix>0", "<prefix>1", … to one partition.
  void WriteNumbered(int32_t partition, const std::string& prefix, int count);

  void Begin();
  // Both return when readers of committed records see the end of the transaction.
  void Commit();
  // False when the broker refuses, as it does once somebody else has the transactional id.
  bool TryCommit();
  void Abort();

 private:
  // The broker says that a transaction has ended before it has written the markers.
  void AwaitMarkers();

  rd_kafka_t* producer_;
  rd_kafka_t* uncommitted_ = nullptr;  // sees the ends with open transactions; transactional only
  std::string topic_;
  std::set<int32_t> partitions_;  // written to in this transaction
};

// Waits until readers of committed records see the whole topic: a commit is answered a moment
// before. Ends the test program when a transaction stays open.
void AwaitSettled(const std::string& brokers, const std::string& topic);

// Removes the records below `offset` from a partition, as retention does.
void DeleteRecordsBefore(const std::string& brokers, const std::string& topic, int32_t partition,
                         int64_t offset);

// A topic of one partition that keeps the last record of each key. Every write begins a segment;
// the broker cleans all but the last one.
void CreateCompactedTopic(const std::string& brokers, const std::string& topic);

void DeleteTopic(const std::string& brokers, const std::string& topic);

}  // namespace watershed::test
