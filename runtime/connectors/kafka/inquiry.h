// Questions to the brokers that wait for an answer: which partitions a topic has, and whatever else
// a caller asks. For threads that may block for seconds.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/client.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread, which serves the client's main queue meanwhile.
class KafkaInquiry {
 public:
  KafkaInquiry(KafkaClient& client, std::chrono::milliseconds timeout)
      : client_(client), give_up_at_(std::chrono::steady_clock::now() + timeout) {}

  // Repeats `request` with short time-outs until it succeeds, a cause is known that does not pass
  // (password, certificate, permission), or the inquiry's time is up: after 5 s at most if a
  // connection is refused or a host unknown, so that whoever waits hears of it and tries again.
  // Errors begin with `doing`.
  Status Ask(const std::string& doing,
             const std::function<rd_kafka_resp_err_t(int timeout_ms)>& request);

  // In ascending order. A topic that does not exist is a user error that names those that come
  // near; it is never created by asking.
  Result<std::vector<int32_t>> Partitions(const std::string& topic);

 private:
  bool MayPass(rd_kafka_resp_err_t error) const;

  KafkaClient& client_;
  std::chrono::steady_clock::time_point give_up_at_;
};

}  // namespace watershed
