// Questions and requests about topics as a whole. For threads that may block for seconds.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runtime/connectors/kafka/client.h"
#include "runtime/types/result.h"

namespace watershed {

using KafkaTopicSettings = std::map<std::string, std::string>;

// All settings of a topic, also those that it has from the broker; nothing: there is no such topic.
// Asking never creates it.
Result<std::optional<KafkaTopicSettings>> DescribeKafkaTopic(KafkaClient& client,
                                                             const std::string& topic);

// With one partition and as many replicas as the broker has by default. No error if somebody has
// made it meanwhile.
Status CreateKafkaTopic(KafkaClient& client, const std::string& topic,
                        const KafkaTopicSettings& settings);

}  // namespace watershed
