// What the brokers have confirmed of the offsets that a source commits to its group.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/metrics/metrics.h"

namespace watershed {

// Thread-safe: reports are served by whichever thread polls, and the client may outlive its source.
class CommittedOffsets {
 public:
  // As a metric of `group`, -1 until there is one. The group may outlive this.
  void Export(const std::string& topic, int32_t partition, MetricGroup& group);
  void OnReport(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t& offsets);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, int32_t>, std::shared_ptr<Gauge>> exported_;
};

}  // namespace watershed
