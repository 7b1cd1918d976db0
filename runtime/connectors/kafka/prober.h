// Asks brokers for a partition's end offset on a thread of its own, because librdkafka's question
// blocks for a round trip, or until its time-out while the broker is away.
#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace watershed {

struct PartitionProbe {
  int32_t split_index = 0;
  std::string topic;
  int32_t partition = 0;
};

struct ProbeAnswer {
  int32_t split_index = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  int64_t low_offset = 0;
  // With read_committed the last stable offset, else the high watermark.
  int64_t end_offset = 0;
};

// Ask and TakeAnswers from one thread. Destroy before the client.
class PartitionProber {
 public:
  explicit PartitionProber(rd_kafka_t* client);
  // Waits for a question that is under way, at most its time-out (1 s).
  ~PartitionProber();
  PartitionProber(const PartitionProber&) = delete;
  PartitionProber& operator=(const PartitionProber&) = delete;

  // Returns at once. A question about a split that is waiting or under way is not asked twice.
  void Ask(PartitionProbe probe);
  // Answers since the last call, moved into `answers`.
  void TakeAnswers(std::vector<ProbeAnswer>& answers);
  bool idle() const;

 private:
  void Run();

  rd_kafka_t* client_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<PartitionProbe> questions_;  // the first one may be under way
  std::vector<ProbeAnswer> answers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace watershed
