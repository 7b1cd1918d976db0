// A topic of its own for every test of the Kafka source, and what reading it gives.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/connectors/kafka_reader.h"
#include "tests/support/peers.h"

namespace watershed::test {

class KafkaSourceTest : public testing::Test {
 protected:
  std::string NewTopic(int partitions) {
    const std::string topic = UniqueName("events");
    CreateTopic(brokers, topic, partitions);
    return topic;
  }
  // Reads to the present end and gives the values.
  std::vector<std::string> ReadAll(const std::string& topic, const OptionMap& more = {}) {
    KafkaReader reader(ReadAllOptions(brokers, topic, more));
    Status status = reader.Open();
    if (status) status = reader.PollUntilFinished();
    EXPECT_TRUE(status) << status.error().message;
    return reader.values();
  }
  Error DiscoverError(const OptionMap& options) {
    const auto splits = KafkaReader(options).Discover();
    EXPECT_FALSE(splits);
    return splits ? Error{} : splits.error();
  }

  const std::string brokers = RunningPeers().kafka_url;
};

}  // namespace watershed::test
