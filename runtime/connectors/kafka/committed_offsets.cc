#include "runtime/connectors/kafka/committed_offsets.h"

#include "runtime/metrics/names.h"

namespace watershed {

void CommittedOffsets::Export(const std::string& topic, int32_t partition, MetricGroup& group) {
  auto offset = std::make_shared<Gauge>();
  offset->Set(-1);
  group.callback(metric_names::kKafkaCommittedOffset,
                 [offset] { return static_cast<double>(offset->value()); },
                 {{std::string(metric_names::kTopic), topic},
                  {std::string(metric_names::kPartition), std::to_string(partition)}});
  const std::scoped_lock lock(mutex_);
  exported_[{topic, partition}] = std::move(offset);
}

void CommittedOffsets::OnReport(rd_kafka_resp_err_t error,
                                const rd_kafka_topic_partition_list_t& offsets) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const std::scoped_lock lock(mutex_);
  for (int i = 0; i < offsets.cnt; ++i) {
    const rd_kafka_topic_partition_t& each = offsets.elems[i];
    const auto known = exported_.find({each.topic, each.partition});
    if (known == exported_.end() || each.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    known->second->Set(each.offset);
  }
}

}  // namespace watershed
