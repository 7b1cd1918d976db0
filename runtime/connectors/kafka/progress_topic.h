// watershed-progress-<lineage>: a compacted topic with the last marker of every writer of a
// lineage. Markers are written by the transactions that they tell of (transactional_producer.h);
// here the topic is made and read.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/kafka/progress_marker.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread that may block for seconds.
class ProgressTopic {
 public:
  // By the writer's ProgressKey.
  using Markers = std::map<std::string, ProgressMarker>;

  ProgressTopic(KafkaSettings properties, const std::string& lineage);
  ~ProgressTopic() { Disconnect(); }
  ProgressTopic(const ProgressTopic&) = delete;
  ProgressTopic& operator=(const ProgressTopic&) = delete;

  const std::string& name() const { return name_; }

  // Finds the topic or makes it. A user error if somebody made it so that markers would vanish.
  Status Open();
  // Everything that was committed before this call. Whoever fences writers first has their last
  // word. A retryable error while a transaction of somebody else is open there.
  Result<Markers> Read();
  // Until the next call: markers are read seldom, and an idle client would only gather incidents.
  void Disconnect() { GiveUpClient(std::move(client_)); }

 private:
  Status Connect();
  Status ReadUpTo(int64_t bound, KafkaClient& reader, rd_kafka_topic_t* topic, Markers& markers);

  KafkaSettings properties_;
  std::string name_;
  std::shared_ptr<KafkaClient> client_;  // sees also what is not committed
};

}  // namespace watershed
