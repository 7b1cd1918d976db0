// What tests of the Kafka sink share: sinks of numbered rows, and what readers of committed records
// see of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/sink.h"
#include "tests/connectors/kafka_reader.h"
#include "tests/connectors/kafka_writer.h"
#include "tests/support/assert_ok.h"
#include "tests/support/peers.h"
#include "tests/support/text_rows.h"

namespace watershed::test {

inline std::unique_ptr<Sink> MakeSink(
    const std::string& brokers, const std::string& topic, const OptionMap& more = {},
    ConnectorContext context = {.job_name = "test", .job = JobId{"job"}, .operator_id = "raw"}) {
  OptionMap options = {{"topic", topic}, {"properties.bootstrap.servers", brokers}};
  for (const auto& [name, value] : more) options[name] = value;
  auto sink = MakeKafkaSink(options, std::make_unique<TextEncoder>(), context);
  EXPECT_TRUE(sink) << sink.error().message;
  return std::move(*sink);
}

inline Status CommitEpoch(Sink& sink, int64_t epoch) {
  WS_ASSIGN_OR_RETURN(const auto segments, sink.Prepare({epoch}));
  return sink.Commit({epoch}, segments);
}

inline std::vector<std::string> ReadTopic(const std::string& brokers, const std::string& topic) {
  AwaitSettled(brokers, topic);
  KafkaReader reader(ReadAllOptions(brokers, topic));
  Status status = reader.Open();
  if (status) status = reader.PollUntilFinished();
  EXPECT_TRUE(status) << status.error().message;
  return reader.values();
}

class KafkaSinkTest : public testing::Test {
 protected:
  std::string NewTopic(int partitions) {
    const std::string topic = UniqueName("sink");
    CreateTopic(brokers, topic, partitions);
    return topic;
  }
  const std::string brokers = RunningPeers().kafka_url;
};

}  // namespace watershed::test
