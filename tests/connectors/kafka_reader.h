// Drives a Kafka source as a task does, and keeps what it read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/source.h"
#include "runtime/metrics/metrics.h"

namespace watershed::test {

struct ReadRecord {
  std::string split;
  int64_t offset = 0;
  std::optional<std::string> value;
  std::string key;
  int64_t timestamp_ms = 0;
};

// Options of a source of `topic` from its earliest to its present end, changed by `more`.
OptionMap ReadAllOptions(const std::string& brokers, const std::string& topic,
                         const OptionMap& more = {});

// One thread.
class KafkaReader {
 public:
  explicit KafkaReader(OptionMap options) : options_(std::move(options)) {}

  Result<std::vector<SourceSplit>> Discover() const;
  Status Open(const std::vector<SourceSplit>& splits);
  // Discovers and opens all.
  Status Open();
  // Polls until `done`, at most a minute; the last error if there was one.
  Status PollUntil(const std::function<bool()>& done);
  Status PollUntilFinished() {
    return PollUntil([this] { return finished; });
  }

  Source& source() { return *source_; }
  // As the source's metrics say: by partition.
  std::map<std::string, double> CommittedOffsets() const;
  std::vector<std::string> values() const;  // in the order read

  std::vector<ReadRecord> records;
  bool finished = false;
  std::string degraded_reason;
  std::map<int32_t, SplitProgress> progress;  // the last one told of each split

 private:
  OptionMap options_;
  MetricRegistry registry_;
  MetricGroup metrics_{&registry_, {}};
  std::vector<SourceSplit> splits_;
  std::unique_ptr<Source> source_;
  PolledRecords polled_;
};

}  // namespace watershed::test
