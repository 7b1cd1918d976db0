// Asks brokers for a partition's end offset on a thread of its own, because librdkafka's question
// blocks for a round trip, and while the broker is away until the request expires
// (socket.timeout.ms; before version 2.2 whatever time-out one gives).
#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/client.h"

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

// Ask and TakeAnswers from one thread. Questions are asked one at a time.
class PartitionProber {
 public:
  explicit PartitionProber(std::shared_ptr<KafkaClient> client);
  // Never waits for an answer: a question that is under way keeps thread and client until it ends.
  ~PartitionProber();
  PartitionProber(const PartitionProber&) = delete;
  PartitionProber& operator=(const PartitionProber&) = delete;

  // Returns at once. A question about a split that is waiting or under way is not asked twice.
  void Ask(PartitionProbe probe);
  // Answers since the last call, moved into `answers`.
  void TakeAnswers(std::vector<ProbeAnswer>& answers);
  bool idle() const;

 private:
  // Shared with the thread, which may outlive this object.
  struct State {
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<PartitionProbe> questions;  // the first one may be under way
    std::vector<ProbeAnswer> answers;
    bool stopping = false;
  };
  static void Run(std::shared_ptr<State> state, std::shared_ptr<KafkaClient> client);

  std::shared_ptr<State> state_;
};

}  // namespace watershed
